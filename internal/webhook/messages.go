package webhook

import (
	"time"

	"s3-sign-srv/internal/hooks"
	"s3-sign-srv/internal/sign"
)

// message is the body of a request to the application. docs/webhooks.schema.json is the schema of all types here.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// The types of messages.
const (
	typeIdentify  = "identify"
	typeChallenge = "challenge"
	typeSuccess   = "success"
	typeDelete    = "delete"
	typeDeleted   = "deleted"
	typeList      = "list"
)

type identifyData struct {
	Owner string `json:"owner"` // of the hook in Go; empty: the caller is not authenticated
}

type challengeData struct {
	Owner            string            `json:"owner"`
	Client           string            `json:"client"`
	Operation        sign.Operation    `json:"operation"`
	Bucket           string            `json:"bucket"`
	Key              string            `json:"key"`
	SignatureVersion sign.Version      `json:"signature_version"`
	UploadID         string            `json:"upload_id,omitzero"`
	PartNumber       int               `json:"part_number,omitzero"`
	ACL              string            `json:"acl,omitzero"`
	ContentType      string            `json:"content_type,omitzero"`
	Metadata         map[string]string `json:"metadata,omitzero"`
	Headers          map[string]string `json:"headers,omitzero"`
	Size             *sizeRange        `json:"size,omitzero"`
}

type sizeRange struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

func newChallengeData(c *hooks.Challenge) challengeData {
	data := challengeData{
		Owner: c.Owner, Client: c.Client, Operation: c.Operation, Bucket: c.Bucket, Key: c.Key, SignatureVersion: c.Version,
		UploadID: c.UploadID, PartNumber: c.PartNumber,
		ACL: c.ACL, ContentType: c.ContentType, Metadata: c.Metadata, Headers: c.Headers,
	}
	if c.Size != nil {
		data.Size = &sizeRange{c.Size.Min, c.Size.Max}
	}
	return data
}

type uploadData struct {
	Owner        string            `json:"owner"`
	Bucket       string            `json:"bucket"`
	Key          string            `json:"key"`
	UUID         string            `json:"uuid,omitzero"`
	Name         string            `json:"name,omitzero"`
	Form         map[string]string `json:"form,omitzero"`
	ETag         string            `json:"etag"`
	Size         int64             `json:"size"`
	ContentType  string            `json:"content_type,omitzero"`
	Metadata     map[string]string `json:"metadata,omitzero"`
	LastModified time.Time         `json:"last_modified,omitzero"`
}

func newUploadData(u *hooks.Upload) uploadData {
	return uploadData{
		Owner: u.Owner, Bucket: u.Bucket, Key: u.Key, UUID: u.UUID, Name: u.Name, Form: u.Form, ETag: u.ETag, Size: u.Size,
		ContentType: u.ContentType, Metadata: u.Metadata, LastModified: u.LastModified,
	}
}

type deletionData struct {
	Owner  string            `json:"owner"`
	Bucket string            `json:"bucket"`
	Key    string            `json:"key"`
	UUID   string            `json:"uuid"`
	Form   map[string]string `json:"form,omitzero"`
}

func newDeletionData(d *hooks.Deletion) deletionData {
	return deletionData{Owner: d.Owner, Bucket: d.Bucket, Key: d.Key, UUID: d.UUID, Form: d.Form}
}

type listData struct {
	Owner   string       `json:"owner"`
	Uploads []uploadData `json:"uploads"`
}
