// Package clientconf reads client_conf.js, the page's options for Fine Uploader, without running it: values that the
// script computes are unknown.
package clientconf

import (
	"errors"
	"fmt"
	"io/fs"

	"s3-sign-srv/internal/sign"
)

// What Fine Uploader sends for objectProperties.serverSideEncryption and reducedRedundancy.
const (
	EncryptionHeader, EncryptionValue = "x-amz-server-side-encryption", "AES256"
	StorageHeader, StorageValue       = "x-amz-storage-class", "REDUCED_REDUNDANCY"
)

// Conf is the page's client_conf.js: the user's own static/client_conf.js, or else the one that the server adds its
// settings to, my_client_conf.js or client_conf.js. Its Object is nil if fine_u_conf is not an object literal.
type Conf struct {
	Object
	File     string
	Custom   bool // it is static/client_conf.js
	ReadErr  error
	Assigned bool  // it assigns a value to fine_u_conf
	Err      error // of the syntax
}

// Read reads static/client_conf.js, or else client_conf.js.
func Read(files fs.FS) Conf {
	c := Conf{File: "static/client_conf.js", Custom: true}
	text, err := fs.ReadFile(files, c.File)
	if errors.Is(err, fs.ErrNotExist) {
		c = Conf{File: "client_conf.js"}
		text, err = fs.ReadFile(files, c.File)
	}
	if err != nil {
		c.ReadErr = err
		return c
	}
	if info, err := fs.Stat(files, c.File); err == nil && !c.Custom {
		c.File = info.Name()
	}
	value, err := readScript(string(text))
	c.Object, _ = value.(Object)
	c.Assigned, c.Err = value != nil, err
	return c
}

// Version returns the signature version that the page uses: byDefault, which the server adds, unless the file is
// custom. Fine Uploader's own default is 2.
func (c Conf) Version(byDefault sign.Version) sign.Version {
	if !c.Custom || c.Object == nil {
		return byDefault
	}
	if v, known := c.Number("signature.version", 2); known && v == 2 {
		return sign.V2
	}
	return sign.V4
}

// VersionSetting names the setting that makes the page use a signature version.
func (c Conf) VersionSetting(v sign.Version) string {
	if c.Custom {
		return fmt.Sprintf("signature.version to %d in static/client_conf.js", v)
	}
	return fmt.Sprintf("P3S3F_SIGNATURE_VERSION=%d", v)
}

// Extra returns the headers for encryption and storage class that the options request.
func (c Conf) Extra() map[string]string {
	fields := map[string]string{}
	if c.On("objectProperties.serverSideEncryption") {
		fields[EncryptionHeader] = EncryptionValue
	}
	if c.On("objectProperties.reducedRedundancy") {
		fields[StorageHeader] = StorageValue
	}
	return fields
}
