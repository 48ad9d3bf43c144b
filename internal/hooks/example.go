package hooks

import (
	"errors"
	"fmt"
	"strings"
)

// exampleAllowList is the original's exercise: the two files that may come, each "bucket/dataset/filename"; where the
// small
// one is empty, all may.
type exampleAllowList struct{ small, large string }

// readExampleAllowList reads P3S3F_EXAMPLE_ALLOW_SMALL and _LARGE. It refuses what could let no file pass, or would
// have no effect.
func readExampleAllowList(getenv func(string) string) (exampleAllowList, error) {
	const small, large = "P3S3F_EXAMPLE_ALLOW_SMALL", "P3S3F_EXAMPLE_ALLOW_LARGE"
	bucket := getenv("AWS_DEST_BUCKET")
	for _, name := range []string{small, large} {
		if file := getenv(name); file != "" && (strings.Count(file, "/") < 2 || !strings.HasPrefix(file, bucket+"/")) {
			return exampleAllowList{}, fmt.Errorf(
				"%s is %q; set it to a file of this server's bucket, as %s/DATASET/FILENAME, or unset it",
				name,
				file,
				bucket,
			)
		}
	}
	if getenv(small) == "" && getenv(large) != "" {
		return exampleAllowList{}, errors.New(large + " has no effect without " + small + "; set both, or none")
	}
	return exampleAllowList{getenv(small), getenv(large)}, nil
}

// check refuses a file that is neither of the two. Only the first request of an upload names its file.
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
