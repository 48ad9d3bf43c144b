package doctor

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
)

const answerBytes = 1 << 20 // more of an answer is not read

// answer is what the store said.
type answer struct {
	method string // of the request
	status int
	header http.Header
	body   []byte
}

// storeError is an answer that Fine Uploader takes for a failure.
type storeError struct {
	answer
	code string // S3's word, where there is one
}

func (e *storeError) Error() string {
	if e.code == "" {
		return fmt.Sprintf("status %d", e.status)
	}
	return fmt.Sprintf("%s, status %d", e.code, e.status)
}

// ask sends r and reads the answer.
func ask(client *http.Client, r *http.Request) (answer, error) {
	response, err := client.Do(r)
	if err != nil {
		return answer{header: http.Header{}}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	return answer{r.Method, response.StatusCode, response.Header, body}, err
}

// code is S3's word for a failure, empty where there is none.
func (a answer) code() string { return a.element("Code") }

// element returns the text of a child of the body's root element.
func (a answer) element(name string) string {
	var body struct {
		Children []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if xml.Unmarshal(a.body, &body) != nil {
		return ""
	}
	for _, child := range body.Children {
		if child.XMLName.Local == name {
			return child.Text
		}
	}
	return ""
}
