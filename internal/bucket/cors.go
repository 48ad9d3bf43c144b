package bucket

import (
	"encoding/xml"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// corsConfiguration is the XML form that s3cmd setcors takes (AWS "Elements of a CORS configuration").
type corsConfiguration struct {
	XMLName xml.Name   `xml:"CORSConfiguration"`
	Rules   []corsRule `xml:"CORSRule"`
}

type corsRule struct {
	ID             *string  `xml:"ID"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	ExposeHeaders  []string `xml:"ExposeHeader"`
	MaxAgeSeconds  *int32   `xml:"MaxAgeSeconds"`
}

// parseCORS turns the XML form into the SDK's.
func parseCORS(document []byte) (*types.CORSConfiguration, error) {
	var c corsConfiguration
	if err := xml.Unmarshal(document, &c); err != nil {
		return nil, err
	}
	if len(c.Rules) == 0 {
		return nil, errors.New("there is no CORSRule in it")
	}
	out := new(types.CORSConfiguration)
	for _, r := range c.Rules {
		out.CORSRules = append(out.CORSRules, types.CORSRule{
			ID: r.ID, AllowedOrigins: r.AllowedOrigins, AllowedMethods: r.AllowedMethods,
			AllowedHeaders: r.AllowedHeaders, ExposeHeaders: r.ExposeHeaders, MaxAgeSeconds: r.MaxAgeSeconds,
		})
	}
	return out, nil
}
