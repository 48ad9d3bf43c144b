// Command expected is s3-sign-srv for an application with users and a list of expected files. Copy this folder to
// cmd/my-sign-srv and edit the copy. docs/hooks.md explains it.
package main

import "s3-sign-srv/internal/cli"

func main() { cli.Main(newHooks) }
