package s3admin

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

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
		if err := rule.check(); err != nil {
			return nil, fmt.Errorf("CORSRule %d %w", i+1, err)
		}
	}
	return d.Rules, nil
}

// check checks what S3 requires of a rule.
func (r CORSRule) check() error {
	switch methods := []string{"GET", "PUT", "POST", "DELETE", "HEAD"}; {
	case len(r.AllowedOrigins) == 0:
		return errors.New("has no AllowedOrigin")
	case len(r.AllowedMethods) == 0:
		return errors.New("has no AllowedMethod")
	case slices.ContainsFunc(r.AllowedMethods, func(m string) bool { return !slices.Contains(methods, m) }):
		return fmt.Errorf("has an AllowedMethod that is none of %s", strings.Join(methods, ", "))
	}
	return nil
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

// Equal reports whether both allow the same. Stores change the order within a rule, and add IDs.
func (c CORS) Equal(other CORS) bool { return reflect.DeepEqual(c.plain(), other.plain()) }

func (c CORS) plain() (rules [][]string) {
	for _, r := range c {
		age := ""
		if r.MaxAgeSeconds != nil {
			age = fmt.Sprint(*r.MaxAgeSeconds)
		}
		for _, list := range [][]string{r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders, {age}} {
			rules = append(rules, slices.Sorted(slices.Values(list)))
		}
	}
	return rules
}

// Allow reports whether a rule allows pages of origin to send a request with these headers.
func (c CORS) Allow(origin, method string, headers []string) bool {
	return slices.ContainsFunc(c, func(r CORSRule) bool {
		forbidden := func(header string) bool { return !matchAny(r.AllowedHeaders, header) }
		return matchAny(r.AllowedOrigins, origin) && slices.Contains(r.AllowedMethods, method) &&
			!slices.ContainsFunc(headers, forbidden)
	})
}

// Expose reports whether pages of origin may read a header of the response to such a request. The first rule that
// matches decides.
func (c CORS) Expose(origin, method, header string) bool {
	i := slices.IndexFunc(c, func(r CORSRule) bool {
		return matchAny(r.AllowedOrigins, origin) && slices.Contains(r.AllowedMethods, method)
	})
	return i >= 0 && matchAny(c[i].ExposeHeaders, header)
}

// Origins returns the origins of all rules.
func (c CORS) Origins() (origins []string) {
	for _, r := range c {
		origins = append(origins, r.AllowedOrigins...)
	}
	slices.Sort(origins)
	return slices.Compact(origins)
}

// matchAny reports whether value matches a pattern, in which one * stands for any text.
func matchAny(patterns []string, value string) bool {
	value = strings.ToLower(value)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		before, after, wild := strings.Cut(strings.ToLower(pattern), "*")
		if !wild {
			return before == value
		}
		rest, ok := strings.CutPrefix(value, before)
		return ok && strings.HasSuffix(rest, after)
	})
}

// CORS returns the bucket's rules.
func (b *Bucket) CORS(ctx context.Context) (CORS, error) {
	ctx, cancel := context.WithTimeout(ctx, s3.Timeout)
	defer cancel()
	out, err := b.client.GetBucketCors(ctx, &awss3.GetBucketCorsInput{Bucket: &b.cfg.Name})
	if code := s3.Code(err); code == "NoSuchCORSConfiguration" || code == "NoSuchCORS" {
		return nil, nil
	}
	if err != nil {
		return nil, b.cfg.Explain("s3:GetBucketCORS", err)
	}
	var rules CORS
	for _, r := range out.CORSRules {
		rules = append(
			rules,
			CORSRule{r.ID, r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders, r.MaxAgeSeconds},
		)
	}
	return rules, nil
}

// PutCORS replaces the bucket's CORS rules by those in document, which has the form of basic_cors.xml.
func (b *Bucket) PutCORS(ctx context.Context, document []byte) error {
	rules, err := ParseCORS(document)
	if err != nil {
		return fmt.Errorf("CORS configuration: %w", err)
	}
	out := new(types.CORSConfiguration)
	for _, r := range rules {
		out.CORSRules = append(out.CORSRules, types.CORSRule{
			ID: r.ID, AllowedOrigins: r.AllowedOrigins, AllowedMethods: r.AllowedMethods,
			AllowedHeaders: r.AllowedHeaders, ExposeHeaders: r.ExposeHeaders, MaxAgeSeconds: r.MaxAgeSeconds,
		})
	}
	ctx, cancel := context.WithTimeout(ctx, s3.Timeout)
	defer cancel()
	_, err = b.client.PutBucketCors(ctx, &awss3.PutBucketCorsInput{Bucket: &b.cfg.Name, CORSConfiguration: out})
	return b.cfg.Explain("s3:PutBucketCORS", err)
}
