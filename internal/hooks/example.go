package hooks

import (
	"errors"
	"fmt"
	"strings"
)

// exampleAllowList has the two files that the original's example allows, each as "bucket/dataset/filename". If small is
// empty, all files are allowed.
type exampleAllowList struct{ small, large string }

// readExampleAllowList reads P3S3F_EXAMPLE_ALLOW_SMALL and _LARGE. Values that match no file, or have no effect, are
// errors.
func readExampleAllowList(getenv func(string) string) (exampleAllowList, error) {
	const small, large = "P3S3F_EXAMPLE_ALLOW_SMALL", "P3S3F_EXAMPLE_ALLOW_LARGE"
	bucket := getenv("AWS_DEST_BUCKET")
	for _, name := range []string{small, large} {
		file := getenv(name)
		if file != "" && (strings.Count(file, "/") < 2 || !strings.HasPrefix(file, bucket+"/")) {
			return exampleAllowList{}, fmt.Errorf("%s is %q; set it to a file of this server's bucket, "+
				"as %s/DATASET/FILENAME, or unset it", name, file, bucket)
		}
	}
	if getenv(small) == "" && getenv(large) != "" {
		return exampleAllowList{}, errors.New(large + " has no effect without " + small + "; set both, or neither")
	}
	return exampleAllowList{getenv(small), getenv(large)}, nil
}

// check rejects any other file. Only the first request of an upload names its file.
func (a exampleAllowList) check(c *Challenge) error {
	if a.small == "" || !c.IsInitiate() {
		return nil
	}
	switch c.Bucket + "/" + c.Metadata["dataset"] + "/" + c.Metadata["qqfilename"] {
	case a.small, a.large:
		return nil
	}
	return Deny("This file has not been approved for transfer, check upload is to correct dataset.")
}
