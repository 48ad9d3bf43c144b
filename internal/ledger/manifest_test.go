package ledger

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestReadManifest reads CSV.
func TestReadManifest(t *testing.T) {
	for _, test := range []struct {
		name, csv string
		want      string // the files as JSON, or the errors
	}{
		{"required columns", "dataset,name\nD1,a.bam\n", `[{"dataset":"D1","name":"a.bam"}]`},
		{"all columns, in any order", "owner,sha256,size,name,dataset\nuser/1," + strings.ToUpper(sum) + ",0,é.bam,D1",
			`[{"dataset":"D1","name":"é.bam","size":0,"sha256":"` + sum + `","owner":"user/1"}]`},
		{"saved by Excel", "\ufeffdataset,name\r\nD1,\"a, b.bam\"\r\n\r\n", `[{"dataset":"D1","name":"a, b.bam"}]`},
		{"same name in two data sets", "dataset,name\nD1,a\nD2,a",
			`[{"dataset":"D1","name":"a"},{"dataset":"D2","name":"a"}]`},

		{"empty", "", "line 1: there is no header; begin with the line dataset,name,size,sha256,owner"},
		{"only a header", "dataset,name\n", "line 1: there are no files below the header"},
		{"missing columns", "size\n5\n", "line 1: the column dataset is missing\nline 1: the column name is missing"},
		{"semicolons", "dataset;name\nD1;a\n", "line 1: unknown column \"dataset;name\"; " +
			"the columns are dataset, name, size, sha256, owner, separated by commas\n" +
			"line 1: the column dataset is missing\nline 1: the column name is missing"},
		{"column twice", "dataset,name,name\n", "line 1: the column name is there twice"},
		{"every fault of every line", "dataset,name,size,sha256,owner\n" +
			"D1,a,,,\n" +
			"D1,b\n" +
			"D1,a,,,\n" +
			",,,,\n" +
			"D1,\xe9.bam,,,\n" +
			"D1, c,,,\n" +
			"D1,\"d\ne\",,,\n" +
			"D1,f,1e6,abc,\n" +
			"D1,g,-1,,\n" +
			"D1,h,,,user\t1\n" +
			"D1," + strings.Repeat("x", 801) + ",,,\n",
			"line 3: 2 fields, but the header has 5; put quotes around a field that has a comma\n" +
				"line 4: the same data set and name as in line 2\n" +
				"line 5: dataset is empty\n" +
				"line 5: name is empty\n" +
				"line 6: name is not UTF-8; save the file as CSV UTF-8\n" +
				"line 7: name \" c\" has white space around it; remove it\n" +
				"line 8: name \"d\\ne\" has a control character in it\n" +
				"line 10: size \"1e6\" is not a whole number of bytes\n" +
				"line 10: sha256 \"abc\" is not 64 hexadecimal digits\n" +
				"line 11: size \"-1\" is not a whole number of bytes\n" +
				"line 12: owner \"user\\t1\" has a control character in it\n" +
				"line 13: name is longer than 800 bytes"},
		{"a bad quote, and what follows", "dataset,name\nD1,a\"b\nD1,\n",
			"line 2: bare \" in non-quoted-field; write a quote inside a quoted field twice\nline 3: name is empty"},
	} {
		files, err := ReadManifest(strings.NewReader(test.csv))
		encoded, _ := json.Marshal(files)
		if got := string(encoded); err != nil && err.Error() != test.want || err == nil && got != test.want {
			t.Errorf("%s: %s\n%v\nwant %s", test.name, got, err, test.want)
		}
	}
}

// TestImport imports manifests one after the other.
func TestImport(t *testing.T) {
	forEach(t, func(t *testing.T, l fixture) {
		size := int64(5)
		for i, test := range []struct {
			files []File
			added int
		}{
			{[]File{{Dataset: "D1", Name: "a"}, {Dataset: "D1", Name: "b", Size: &size, SHA256: sum, Owner: "ada"}}, 2},
			{[]File{{Dataset: "D1", Name: "a", Size: &size}, {Dataset: "D1", Name: "c"}}, 1},
		} {
			if added, err := l.Import(t.Context(), test.files); added != test.added || err != nil {
				t.Errorf("manifest %d: added %d, %v, want %d", i, added, err, test.added)
			}
		}
		var all []ExpectedFile
		for e, err := range l.Expected(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
		encoded, err := json.Marshal(all)
		const common = `"state":"open","changed":"2026-11-23T12:00:00Z"}`
		want := `[{"dataset":"D1","name":"a","size":5,` + common +
			`,{"dataset":"D1","name":"b","size":5,"sha256":"` + sum + `","owner":"ada",` + common +
			`,{"dataset":"D1","name":"c",` + common + `]`
		if string(encoded) != want || err != nil {
			t.Errorf("%s %v\nwant %s", encoded, err, want)
		}
	})
}
