package ledger

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File is a file that is expected.
type File struct {
	Dataset string `json:"dataset"`
	Name    string `json:"name"`
	Size    *int64 `json:"size,omitempty"`   // bytes; nil: any
	SHA256  string `json:"sha256,omitempty"` // hexadecimal, lower case; empty: any
	Owner   string `json:"owner,omitempty"`  // who may upload it, as the hook Identify names the user; empty: anybody
}

// columns are those of a manifest; the first two are required.
var columns = []string{"dataset", "name", "size", "sha256", "owner"}

// maxColumnBytes limits a data set, a name and an owner, so that PostgreSQL can index them.
const maxColumnBytes = 800

// ReadManifest reads files from CSV with a header line. Its error has a line for each mistake, with its line number.
func ReadManifest(r io.Reader) ([]File, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	m := manifest{csv: csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))}
	m.csv.FieldsPerRecord = -1 // row says more
	m.lines = map[[2]string]int{}
	m.header()
	for m.errs == nil || m.columns != nil {
		fields, err := m.csv.Read()
		if err == io.EOF {
			break
		}
		m.row(fields, err)
	}
	if m.errs == nil && m.files == nil {
		m.fail(1, "there are no files below the header")
	}
	return m.files, errors.Join(m.errs...)
}

// manifest is a manifest while it is read.
type manifest struct {
	csv     *csv.Reader
	columns map[string]int    // of the header: name → index; nil: unusable
	lines   map[[2]string]int // data set and name → line
	files   []File
	errs    []error
}

func (m *manifest) fail(line int, format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

// header reads the names of the columns. Without the required ones, the other lines make no sense.
func (m *manifest) header() {
	names, err := m.csv.Read()
	if err != nil {
		m.fail(1, "there is no header; begin with the line %s", strings.Join(columns, ","))
		return
	}
	found := map[string]int{}
	for i, name := range names {
		_, isTwice := found[name]
		switch {
		case !slices.Contains(columns, name):
			m.fail(1, "unknown column %.100q; the columns are %s, separated by commas", name, strings.Join(columns, ", "))
		case isTwice:
			m.fail(1, "the column %s is there twice", name)
		}
		found[name] = i
	}
	m.columns = found
	for _, name := range columns[:2] {
		if _, ok := found[name]; !ok {
			m.fail(1, "the column %s is missing", name)
			m.columns = nil
		}
	}
}

// row reads the file of one line.
func (m *manifest) row(fields []string, err error) {
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
		m.fail(parse.Line, "%v; write a quote inside a quoted field twice", parse.Err)
		return
	}
	if err != nil {
		m.errs = append(m.errs, err)
		return
	}
	line, _ := m.csv.FieldPos(0)
	if len(fields) != len(m.columns) {
		m.fail(line, "%d fields, but the header has %d; put quotes around a field that has a comma",
			len(fields), len(m.columns))
		return
	}
	count := len(m.errs)
	f := File{
		Dataset: m.field(line, fields, "dataset", true),
		Name:    m.field(line, fields, "name", true),
		Owner:   m.field(line, fields, "owner", false),
	}
	f.Size, f.SHA256 = m.size(line, fields), m.sha256(line, fields)
	if first := m.lines[[2]string{f.Dataset, f.Name}]; first > 0 {
		m.fail(line, "the same data set and name as in line %d", first)
	} else if f.Dataset != "" && f.Name != "" {
		m.lines[[2]string{f.Dataset, f.Name}] = line
	}
	if len(m.errs) == count {
		m.files = append(m.files, f)
	}
}

// value returns the field of a column; it is empty without that column.
func (m *manifest) value(fields []string, column string) string {
	if i, ok := m.columns[column]; ok {
		return fields[i]
	}
	return ""
}

// field returns the text in a column.
func (m *manifest) field(line int, fields []string, column string, required bool) string {
	value := m.value(fields, column)
	switch {
	case !utf8.ValidString(value):
		m.fail(line, "%s is not UTF-8; save the file as CSV UTF-8", column)
	case value == "" && required:
		m.fail(line, "%s is empty", column)
	case strings.TrimSpace(value) != value:
		m.fail(line, "%s %.100q has white space around it; remove it", column, value)
	case strings.ContainsFunc(value, unicode.IsControl):
		m.fail(line, "%s %.100q has a control character in it", column, value)
	case len(value) > maxColumnBytes:
		m.fail(line, "%s is longer than %d bytes", column, maxColumnBytes)
	}
	return value
}

func (m *manifest) size(line int, fields []string) *int64 {
	value := m.value(fields, "size")
	if value == "" {
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != value {
		m.fail(line, "size %.100q is not a whole number of bytes", value)
	}
	return &n
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (m *manifest) sha256(line int, fields []string) string {
	value := strings.ToLower(m.value(fields, "sha256"))
	if value != "" && !sha256Hex.MatchString(value) {
		m.fail(line, "sha256 %.100q is not 64 hexadecimal digits", value)
	}
	return value
}
