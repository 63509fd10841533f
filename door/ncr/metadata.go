package ncr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// metadata says how a script is served, by the names that No-Code Room has. Others are
// passed over.
type metadata struct {
	HTTPHeaders        bool                       `json:"http_headers"`
	ErrorCode          status                     `json:"error_code"`
	SuccessCode        status                     `json:"success_code"`
	ErrorDescription   string                     `json:"error_description"`
	SuccessDescription string                     `json:"success_description"`
	ContentType        string                     `json:"content_type"`
	SuccessContentType string                     `json:"success_content_type"`
	DisableGet         bool                       `json:"disable_get"`
	DisablePost        bool                       `json:"disable_post"`
	Examples           map[string]json.RawMessage `json:"examples"`
	Tags               []string                   `json:"tags"`
	Hidden             bool                       `json:"hidden"`
	HideFromOpenAPI    bool                       `json:"hide_from_openapi"`
	Precondition       text                       `json:"precondition"`
}

// A status is one of HTTP, as a number or a text that begins with it.
type status int

func (s *status) UnmarshalJSON(b []byte) error {
	first, _, _ := strings.Cut(strings.Trim(string(b), `" `), " ")
	n, err := strconv.Atoi(first)
	if err != nil || n < 200 || n > 599 || n == http.StatusNoContent || n == http.StatusNotModified {
		return fmt.Errorf("%s is no status from 200 to 599 that has a body", b)
	}
	*s = status(n)
	return nil
}

// A text is a text, or false for none.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if string(b) == "false" || string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// read reads a file of it.
func (m *metadata) read(b []byte) error {
	if err := checkJSON(b); err != nil {
		return err
	}
	err := json.Unmarshal(b, m)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s is a %s, where a %s should be", cmp.Or(wrong.Field, "it"), wrong.Value, wrong.Type.Kind())
	}
	if err != nil {
		return err
	}
	for name, mime := range map[string]string{"content_type": m.ContentType, "success_content_type": m.SuccessContentType} {
		if mime != "" && mediaType(mime) == "" {
			return fmt.Errorf("%s: %q is no media type", name, mime)
		}
	}
	if m.ContentType != "" && m.ContentType != typeJSON && m.ContentType != typeForm {
		return fmt.Errorf("content_type: %s or %s", typeJSON, typeForm)
	}
	return nil
}

// complete gives what is absent its default.
func (m *metadata) complete() {
	m.ErrorCode = cmp.Or(m.ErrorCode, http.StatusInternalServerError)
	m.SuccessCode = cmp.Or(m.SuccessCode, http.StatusOK)
	m.ContentType = cmp.Or(m.ContentType, typeJSON)
	m.SuccessDescription = cmp.Or(m.SuccessDescription, "What the script prints")
	m.ErrorDescription = cmp.Or(m.ErrorDescription, "The script failed")
}

// methods are those that the endpoint answers to.
func (m *metadata) methods() []string {
	var methods []string
	if !m.DisableGet {
		methods = append(methods, http.MethodGet)
	}
	if !m.DisablePost {
		methods = append(methods, http.MethodPost)
	}
	return methods
}

// mediaType is the type in a header, without its parameters; nothing if it is none.
func mediaType(header string) string {
	kind, _, err := mime.ParseMediaType(header)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || bytes.IndexByte([]byte(kind), '/') < 0 {
		return ""
	}
	return kind
}
