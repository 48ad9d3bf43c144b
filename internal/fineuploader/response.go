package fineuploader

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
)

const maxBodyBytes = 1 << 20 // of a response; the rest is not read

// Response is a response of the store. Its header is never nil.
type Response struct {
	Method string // of the request
	Status int
	Header http.Header
	Body   []byte
}

// ResponseError is a response that Fine Uploader takes for a failure.
type ResponseError struct{ Response }

func (e *ResponseError) Error() string {
	return fmt.Sprintf("%s, status %d", e.Code(), e.Status)
}

// Send sends r and reads the response.
func Send(client *http.Client, r *http.Request) (Response, error) {
	response, err := client.Do(r)
	if err != nil {
		return Response{Header: http.Header{}}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBodyBytes))
	return Response{r.Method, response.StatusCode, response.Header, body}, err
}

// Code returns the S3 error code in the body, or an empty string.
func (r Response) Code() string { return r.Element("Code") }

// Element returns the text of a child of the body's root element, or an empty string.
func (r Response) Element(name string) string {
	var body struct {
		Children []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if xml.Unmarshal(r.Body, &body) != nil {
		return ""
	}
	for _, child := range body.Children {
		if child.XMLName.Local == name {
			return child.Text
		}
	}
	return ""
}
