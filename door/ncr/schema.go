package ncr

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// A schema says what data must be.
type schema struct {
	source   []byte
	keyNames []string // what was left out of it
	document any
	compiled *jsonschema.Schema
}

// schemaURL is what a schema is called within itself. Nothing is loaded from there.
const schemaURL = "carrel:schema.json"

// closed loads nothing: a schema is one file.
type closed struct{}

func (closed) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside of the file", url)
}

// compiled compiles a schema without what is among the keys, or has the one of before
// if it is the same.
func (h *Handler) compiled(name string, source []byte, keyNames []string) (*schema, error) {
	if kept, ok := h.schemas.Load(name); ok {
		if s := kept.(*schema); bytes.Equal(s.source, source) && slices.Equal(s.keyNames, keyNames) {
			return s, nil
		}
	}
	if err := checkJSON(source); err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		return nil, err
	}
	document = without(document, keyNames)
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(closed{})
	compiler.AssertFormat()
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, err
	}
	s := &schema{source: source, keyNames: keyNames, document: document}
	if s.compiled, err = compiler.Compile(schemaURL); err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "\n", " "))
	}
	h.schemas.Store(name, s)
	return s, nil
}

// problemsMax bounds what is told of data that a schema does not allow.
const problemsMax = 20

// check tells what of some data, a JSON text, is not as it must be.
func (s *schema) check(data []byte) ([]string, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	err = s.compiled.Validate(value)
	invalid := (*jsonschema.ValidationError)(nil)
	if err == nil || !errors.As(err, &invalid) {
		return nil, err
	}
	var problems []string
	printer := message.NewPrinter(language.English)
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 || len(problems) == problemsMax {
			return
		}
		problems = append(problems, fmt.Sprintf("%s: %s", pointer(e.InstanceLocation), e.ErrorKind.LocalizedString(printer)))
	}
	walk(invalid)
	slices.Sort(problems)
	return problems, nil
}

// pointer is a place in JSON, as RFC 6901 has it; "data" is all of it.
func pointer(tokens []string) string {
	if len(tokens) == 0 {
		return "data"
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	for _, token := range tokens {
		b.WriteString("/" + escape.Replace(token))
	}
	return b.String()
}

// without is a schema's document without what is among the keys: a client cannot know
// of it.
func without(document any, keyNames []string) any {
	all, ok := document.(object)
	if !ok || len(keyNames) == 0 {
		return document
	}
	left := object{}
	for name, value := range all {
		switch v := value.(type) {
		case object:
			if name == "properties" {
				kept := object{}
				for property, of := range v {
					if !slices.Contains(keyNames, property) {
						kept[property] = of
					}
				}
				value = kept
			}
		case []any:
			if name == "required" {
				kept := []any{}
				for _, property := range v {
					if text, ok := property.(string); !ok || !slices.Contains(keyNames, text) {
						kept = append(kept, property)
					}
				}
				value = kept
			}
		}
		left[name] = value
	}
	return left
}
