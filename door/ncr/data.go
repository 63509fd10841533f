package ncr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const typeForm = "application/x-www-form-urlencoded"

// noData is the data of a request that has none.
var noData = []byte("{}")

// headersName is where data has a request's headers, if the script wants them.
const headersName = "http_headers"

// data is the request's data, as JSON. The error is a problem.
func (x *exchange) data(e *endpoint) ([]byte, error) {
	if x.r.Method != http.MethodPost {
		if x.r.URL.RawQuery == "" && e.example != nil {
			x.w.Header().Set("Carrel-Data", "example")
			return e.example, nil
		}
		return e.form(x.r.URL.RawQuery)
	}
	kind, err := x.kind(e)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.h.BodyBytes))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, &problem{status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the data is larger than %d bytes", large.Limit)}
	} else if err != nil {
		return nil, &problem{status: http.StatusBadRequest, Text: "the data has not arrived"}
	}
	if kind == typeForm {
		return e.form(string(body))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return noData, nil
	}
	if err := checkJSON(body); err != nil {
		return nil, &problem{status: http.StatusBadRequest, Text: "the data: " + err.Error()}
	}
	if !e.lua && bytes.TrimSpace(body)[0] != '{' {
		return nil, &problem{status: http.StatusBadRequest, Text: "the data of Zencode is a JSON object: {…}"}
	}
	return body, nil
}

// kind is the media type of the body. Forms are taken only where metadata says so, as
// any page of the Web may send them.
func (x *exchange) kind(e *endpoint) (string, error) {
	if encoding := x.r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return "", &problem{status: http.StatusUnsupportedMediaType, Text: fmt.Sprintf("the data has the encoding %q: send it as it is", encoding)}
	}
	header := x.r.Header.Get("Content-Type")
	kind := mediaType(header)
	switch {
	case header == "" && (x.r.Header.Get("Origin") != "" || x.r.Header.Get("Sec-Fetch-Site") != ""):
		return "", &problem{status: http.StatusUnsupportedMediaType, Text: fmt.Sprintf("a page says what it sends: Content-Type: %s", e.metadata.ContentType)}
	case kind == e.metadata.ContentType, header == "":
		return e.metadata.ContentType, nil
	case e.metadata.ContentType == typeJSON && strings.HasSuffix(kind, "+json"):
		return typeJSON, nil
	}
	return "", &problem{status: http.StatusUnsupportedMediaType, Text: fmt.Sprintf("the data is sent as %q: this endpoint takes %s", header, e.metadata.ContentType)}
}

// form is data from a query or a form: texts, but where the schema says otherwise.
func (e *endpoint) form(encoded string) ([]byte, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil || !validTexts(values) {
		return nil, &problem{status: http.StatusBadRequest, Text: "the query cannot be read: names and values are UTF-8, each escaped by %"}
	}
	types := e.types()
	data := map[string]any{}
	for name, all := range values {
		data[name] = converted(types[name], all)
	}
	return json.Marshal(data)
}

func validTexts(values url.Values) bool {
	for name, all := range values {
		if !utf8.ValidString(name + strings.Join(all, "")) {
			return false
		}
	}
	return true
}

// converted are the values of one name, the last of which counts, as a schema's type.
func converted(kind string, all []string) any {
	last := all[len(all)-1]
	switch kind {
	case "array":
		return all
	case "number", "integer", "boolean", "object":
		if json.Valid([]byte(last)) {
			return json.RawMessage(last)
		}
	}
	return last
}

// withHeaders is data with the request's headers in it.
func withHeaders(data []byte, r *http.Request) ([]byte, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, &problem{status: http.StatusBadRequest, Text: "the data is a JSON object: {…}"}
	}
	if _, clash := object[headersName]; clash {
		return nil, &problem{status: http.StatusUnprocessableEntity, Text: headersName + " is the server's to set"}
	}
	request := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		request[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	headers, err := json.Marshal(map[string]any{"request": request})
	if err != nil {
		return nil, err
	}
	object[headersName] = headers
	return json.Marshal(object)
}

// wantsRun reports whether the client asks for all of a run.
func wantsRun(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if kind, _, err := mime.ParseMediaType(part); err == nil && kind == typeRun {
			return true
		}
	}
	return false
}
