package s3admin

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3-sign-srv/internal/s3"
)

// CORS has the CORS rules of a bucket; it is nil if there are none.
type CORS []CORSRule

// CORSRule is one rule (AWS "Elements of a CORS configuration").
type CORSRule struct {
	ID             *string  `xml:"ID"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	ExposeHeaders  []string `xml:"ExposeHeader"`
	MaxAgeSeconds  *int32   `xml:"MaxAgeSeconds"`
}

// corsDocument is the XML form that s3cmd setcors takes.
type corsDocument struct {
	XMLName xml.Name `xml:"CORSConfiguration"`
	Rules   CORS     `xml:"CORSRule"`
}

// ParseCORS reads a CORSConfiguration as in basic_cors.xml.
func ParseCORS(document []byte) (CORS, error) {
	var d corsDocument
	if err := xml.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	if len(d.Rules) == 0 {
		return nil, errors.New("there is no CORSRule in it")
	}
	for i, rule := range d.Rules {
		if rule.AllowedOrigins == nil || rule.AllowedMethods == nil {
			return nil, fmt.Errorf("CORSRule %d has no AllowedOrigin or no AllowedMethod", i+1)
		}
	}
	return d.Rules, nil
}

// Document returns the rules in the form that ParseCORS reads.
func (c CORS) Document() []byte {
	text, err := xml.MarshalIndent(corsDocument{Rules: c}, "", "  ")
	if err != nil {
		panic(err) // strings always encode
	}
	return append(bytes.TrimSpace(text), '\n')
}

// Narrow returns the rules with other allowed origins and headers.
func (c CORS) Narrow(origins, headers []string) CORS {
	narrow := slices.Clone(c)
	for i := range narrow {
		narrow[i].AllowedOrigins, narrow[i].AllowedHeaders = origins, headers
	}
	return narrow
}

// Origins returns the origins of all rules.
func (c CORS) Origins() (origins []string) {
	for _, r := range c {
		origins = append(origins, r.AllowedOrigins...)
	}
	slices.Sort(origins)
	return slices.Compact(origins)
}

// CORS returns the bucket's rules.
func (b *Bucket) CORS(ctx context.Context) (rules CORS, err error) {
	out, err := call(ctx, b, "s3:GetBucketCORS", b.client.GetBucketCors, &awss3.GetBucketCorsInput{Bucket: &b.cfg.Name})
	if code := s3.Code(err); code == "NoSuchCORSConfiguration" || code == "NoSuchCORS" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range out.CORSRules {
		rule := CORSRule{r.ID, r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders, r.MaxAgeSeconds}
		rules = append(rules, rule)
	}
	return rules, nil
}

// PutCORS replaces the bucket's CORS rules.
func (b *Bucket) PutCORS(ctx context.Context, rules CORS) error {
	in := &awss3.PutBucketCorsInput{Bucket: &b.cfg.Name, CORSConfiguration: new(types.CORSConfiguration)}
	for _, r := range rules {
		in.CORSConfiguration.CORSRules = append(in.CORSConfiguration.CORSRules, types.CORSRule{
			ID: r.ID, AllowedOrigins: r.AllowedOrigins, AllowedMethods: r.AllowedMethods,
			AllowedHeaders: r.AllowedHeaders, ExposeHeaders: r.ExposeHeaders, MaxAgeSeconds: r.MaxAgeSeconds,
		})
	}
	_, err := call(ctx, b, "s3:PutBucketCORS", b.client.PutBucketCors, in)
	return err
}
