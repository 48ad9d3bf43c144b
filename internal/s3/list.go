package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxPages limits a list, at 1000 entries a page.
const maxPages = 10

// Entry is one object of a listing.
type Entry struct {
	Key          string
	Size         int64 // bytes
	LastModified time.Time
}

// List returns the first 10,000 objects, by key, whose key begins with prefix.
func (b *Bucket) List(ctx context.Context, prefix string) (entries []Entry, err error) {
	defer b.observe("ListObjectsV2", time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	pages := awss3.NewListObjectsV2Paginator(b.client, &awss3.ListObjectsV2Input{Bucket: &b.cfg.Name, Prefix: &prefix})
	for range maxPages {
		if !pages.HasMorePages() {
			break
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, b.cfg.Explain("s3:ListBucket", err)
		}
		for _, object := range page.Contents {
			entries = append(entries, Entry{aws.ToString(object.Key), aws.ToInt64(object.Size), aws.ToTime(object.LastModified)})
		}
	}
	return entries, nil
}
