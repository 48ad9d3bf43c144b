package bucket

import (
	"bytes"
	"encoding/xml"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// formatCORS is the inverse of parseCORS.
func formatCORS(c *types.CORSConfiguration) ([]byte, error) {
	out := corsConfiguration{Rules: make([]corsRule, len(c.CORSRules))}
	for i, r := range c.CORSRules {
		out.Rules[i] = corsRule{
			ID: r.ID, AllowedOrigins: r.AllowedOrigins, AllowedMethods: r.AllowedMethods,
			AllowedHeaders: r.AllowedHeaders, ExposeHeaders: r.ExposeHeaders, MaxAgeSeconds: r.MaxAgeSeconds,
		}
	}
	return marshalCORS(out)
}

// NarrowCORS returns the rules of document with other origins, and with headers in place of the allowed ones.
func NarrowCORS(document []byte, origins, headers []string) ([]byte, error) {
	var c corsConfiguration
	if err := xml.Unmarshal(document, &c); err != nil {
		return nil, err
	}
	for i := range c.Rules {
		c.Rules[i].AllowedOrigins, c.Rules[i].AllowedHeaders = origins, headers
	}
	return marshalCORS(c)
}

// FormatCORS returns document in the form that CORS gives, without comments, for a comparison by eye.
func FormatCORS(document []byte) ([]byte, error) {
	rules, err := parseCORS(document)
	if err != nil {
		return nil, err
	}
	return formatCORS(rules)
}

// SameCORS reports whether two documents that CORS or FormatCORS gave allow the same: stores change the
// order within a rule, and give rules IDs.
func SameCORS(a, b []byte) bool {
	var pair [2]corsConfiguration
	for i, document := range [][]byte{a, b} {
		if xml.Unmarshal(document, &pair[i]) != nil {
			return false
		}
		for j := range pair[i].Rules {
			r := &pair[i].Rules[j]
			r.ID = nil
			for _, list := range [][]string{r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders} {
				slices.Sort(list)
			}
		}
	}
	return reflect.DeepEqual(pair[0].Rules, pair[1].Rules)
}

func marshalCORS(c corsConfiguration) ([]byte, error) {
	c.XMLName = xml.Name{Local: "CORSConfiguration"}
	text, err := xml.MarshalIndent(c, "", "  ")
	return append(bytes.TrimSpace(text), '\n'), err
}
