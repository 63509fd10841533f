package ncr

import (
	"regexp"
	"strings"
)

// given is a statement that names what a script takes, in the words of Zencode:
//
//	Given I have a 'string array' named 'names' in 'people'
//	and I have a 'keyring'
var given = regexp.MustCompile(`(?i)^(?:given|and)(?:\s+that)?\s+I\s+have\s+(?:a|an|the)\s+'([^']+)'(?:\s+named\s+(?:by\s+)?'([^']+)')?(?:\s+(?:in|inside|part\s+of)\s+'([^']+)')?\s*$`)

// phase is the first word of a statement that begins a phase of a script.
var phase = regexp.MustCompile(`(?i)^(given|when|then|if|foreach)\b`)

// kinds are types of JSON for Zencode's, as far as they are sure.
var kinds = map[string]string{
	"string": "string", "base64": "string", "base58": "string", "url64": "string", "hex": "string", "bin": "string",
	"number": "number", "float": "number", "time": "number", "integer": "string", "boolean": "boolean",
}

// derived is a schema of what a script of Zencode says that it takes. It is for people:
// that data fits is for Zenroom to say. What is among the keys is not in it.
func derived(script []byte, keyNames []string) object {
	properties := object{}
	var required []any
	add := func(to object, name string, of any) {
		to[strings.ReplaceAll(name, " ", "_")] = of
	}
	inGiven := false
	for line := range strings.Lines(string(script)) {
		line = strings.TrimSpace(line)
		if word := phase.FindString(line); word != "" {
			inGiven = strings.EqualFold(word, "given")
		}
		found := given.FindStringSubmatch(line)
		if !inGiven || found == nil {
			continue
		}
		kind, name, parent := found[1], found[2], found[3]
		if name == "" {
			name = kind
		}
		if parent == "" {
			add(properties, name, schemaOf(kind))
			required = append(required, strings.ReplaceAll(name, " ", "_"))
			continue
		}
		of, ok := properties[strings.ReplaceAll(parent, " ", "_")].(object)
		if inner, has := of["properties"].(object); ok && has {
			add(inner, name, schemaOf(kind))
			continue
		}
		inner := object{}
		add(inner, name, schemaOf(kind))
		add(properties, parent, object{"type": "object", "properties": inner})
		required = append(required, strings.ReplaceAll(parent, " ", "_"))
	}
	all := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		all["required"] = unique(required)
	}
	left, _ := without(all, keyNames).(object)
	if list, _ := left["required"].([]any); len(list) == 0 {
		delete(left, "required")
	}
	return left
}

func unique(list []any) []any {
	seen := map[any]bool{}
	var left []any
	for _, item := range list {
		if !seen[item] {
			seen[item] = true
			left = append(left, item)
		}
	}
	return left
}

// schemaOf is a schema for one of Zencode's types, as in "string array".
func schemaOf(kind string) object {
	of, form := "", kind
	if blank := strings.LastIndexByte(kind, ' '); blank >= 0 {
		of, form = kind[:blank], kind[blank+1:]
	}
	switch form {
	case "array":
		return object{"type": "array", "items": schemaOf(of)}
	case "dictionary", "table":
		return object{"type": "object"}
	}
	s := object{}
	known, ok := kinds[kind]
	if ok {
		s["type"] = known
	}
	if kind != known && kind != "" {
		s["description"] = kind
	}
	return s
}

// document is the schema of an endpoint's data.
func (e *endpoint) document() any {
	switch {
	case e.schema != nil:
		return e.schema.document
	case e.lua:
		return object{}
	}
	return derived(e.script, e.keyNames)
}

// types are the types of data's properties, by the schema.
func (e *endpoint) types() map[string]string {
	types := map[string]string{}
	document, _ := e.document().(object)
	properties, _ := document["properties"].(object)
	for name, property := range properties {
		of, _ := property.(object)
		if reference, ok := of["$ref"].(string); ok {
			of = within(document, reference)
		}
		types[name], _ = of["type"].(string)
	}
	return types
}

// within is what a schema refers to in itself, where that is simple.
func within(document object, reference string) object {
	tokens, ok := strings.CutPrefix(reference, "#/")
	if !ok {
		return nil
	}
	for token := range strings.SplitSeq(tokens, "/") {
		document, _ = document[token].(object)
	}
	return document
}

// commentMarks begin a comment.
var commentMarks = map[bool]string{false: "#", true: "--"}

// introduction is what a script says of itself first: its leading comment, or the text
// of its first scenario.
func (e *endpoint) introduction() (summary, description string) {
	var comment []string
	scenario := ""
	mark := commentMarks[e.lua]
	for line := range strings.Lines(string(e.script)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, mark); ok {
			comment = append(comment, strings.TrimSpace(strings.TrimLeft(text, mark)))
			continue
		}
		if len(comment) == 0 && (line == "" || strings.HasPrefix(strings.ToLower(line), "rule")) {
			continue
		}
		if _, text, ok := strings.Cut(line, ":"); ok && !e.lua && strings.HasPrefix(strings.ToLower(line), "scenario") {
			scenario = strings.TrimSpace(text)
		}
		break
	}
	description = strings.TrimSpace(strings.Join(comment, "\n"))
	if description == "" {
		return scenario, ""
	}
	summary, _, _ = strings.Cut(description, "\n")
	return summary, description
}
