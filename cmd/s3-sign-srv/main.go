// Command s3-sign-srv signs the requests with which a browser uploads files to S3. The files in internal/cli/help
// describe its flags and commands, as s3-sign-srv help does.
package main

import (
	"s3-sign-srv/internal/cli"
	"s3-sign-srv/internal/hooks"
)

func main() { cli.Main(hooks.New) }
