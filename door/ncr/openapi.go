package ncr

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	openAPIVersion = "3.1.0"
	// exampleBytesMax is what an example has at most to stand in the document.
	exampleBytesMax = 64 << 10
)

type object = map[string]any

// openAPI answers with the document of all endpoints.
func (x *exchange) openAPI() {
	document, err := x.h.openAPI()
	if err != nil {
		x.failed(err)
		return
	}
	x.answer(http.StatusOK, typeJSON, encoded(document))
}

func (h *Handler) openAPI() (object, error) {
	h.listing.Lock()
	defer h.listing.Unlock()
	list, err := h.list()
	if err != nil {
		return nil, err
	}
	paths, schemas := object{}, object{"Problem": problemSchema}
	for _, entry := range list.entries {
		e, err := h.find(entry.Name)
		if err != nil {
			continue // who asks for it is told
		}
		e.forget()
		if e.metadata.HideFromOpenAPI {
			continue
		}
		escaped := (&url.URL{Path: e.path()}).EscapedPath()
		paths[escaped] = e.operations(schemas)
		paths[escaped+suffixRaw] = view("The script "+entry.File, typeText)
		paths[escaped+suffixApp] = view("A page to try "+e.path(), typeHTML)
	}
	return object{
		"openapi": openAPIVersion,
		"info":    object{"title": "Scripts of Zencode and Lua", "version": "1", "description": "Each script of a directory is an endpoint, served by carrel zencode serve."},
		"servers": []any{object{"url": "./"}},
		"paths":   paths,
		"components": object{
			"schemas": schemas,
			"responses": object{
				"Refused": response("The data, or the way it was sent, is not what the endpoint takes: 400, 405, 413, 415, or 422 if the schema does not allow it", "Problem"),
				"Busy":    response("Too many requests wait already", "Problem"),
				"Late":    response("The script took too long", "Problem"),
			},
		},
	}, nil
}

var problemSchema = object{
	"type": "object", "required": []any{"error"},
	"properties": object{
		"error":    object{"type": "string", "description": "What is wrong, for people"},
		"class":    object{"type": "string", "description": "How the run ended, if it did not come to its end", "examples": []any{"fuel"}},
		"problems": object{"type": "array", "items": object{"type": "string"}, "description": "What of the data the schema does not allow"},
		"log":      object{"type": "array", "items": object{"type": "string"}, "description": "Zenroom's log"},
	},
}

func response(description, schema string) object {
	return object{"description": description, "content": object{typeJSON: object{"schema": reference(schema)}}}
}

func reference(schema string) object { return object{"$ref": "#/components/schemas/" + schema} }

// view is a path that shows something of a script.
func view(summary, mime string) object {
	kind := mediaType(mime)
	return object{"get": object{
		"summary": summary, "tags": []any{"views"},
		"responses": object{"200": object{"description": summary, "content": object{kind: object{"schema": object{"type": "string"}}}}},
	}}
}

// operations are those of an endpoint. Its schema goes to the others.
func (e *endpoint) operations(schemas object) object {
	component := componentName(e.name, schemas)
	schemas[component] = relocated(renamed(e.document()), "#/components/schemas/"+component)
	path := object{}
	if !e.metadata.DisableGet {
		get := e.operation("get_" + component)
		if parameters := e.parameters(); len(parameters) > 0 {
			get["parameters"] = parameters
		}
		path["get"] = get
	}
	if !e.metadata.DisablePost {
		post := e.operation("post_" + component)
		content := object{"schema": reference(component)}
		if examples := e.examples(); len(examples) > 0 {
			content["examples"] = examples
		}
		post["requestBody"] = object{"content": object{e.metadata.ContentType: content}}
		path["post"] = post
	}
	return path
}

// operation is what all methods have.
func (e *endpoint) operation(id string) object {
	summary, description := e.introduction()
	o := object{
		"operationId": id,
		"tags":        []any{"scripts"},
		"responses": object{
			strconv.Itoa(int(e.metadata.SuccessCode)): object{"description": e.metadata.SuccessDescription, "content": object{e.successType(): object{}}},
			strconv.Itoa(int(e.metadata.ErrorCode)):   response(e.metadata.ErrorDescription, "Problem"),
			"4XX":                                     object{"$ref": "#/components/responses/Refused"},
			"503":                                     object{"$ref": "#/components/responses/Busy"},
			"504":                                     object{"$ref": "#/components/responses/Late"},
		},
	}
	if summary != "" {
		o["summary"] = summary
	}
	if description != "" {
		o["description"] = description
	}
	if len(e.metadata.Tags) > 0 {
		o["tags"] = e.metadata.Tags
	}
	return o
}

func (e *endpoint) successType() string {
	if kind := mediaType(e.metadata.SuccessContentType); kind != "" {
		return kind
	}
	return typeJSON
}

// identifier keeps what may stand in an operation's id.
func identifier(r rune) rune {
	if r == '_' || r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
		return r
	}
	return '_'
}

// componentName is a name for an endpoint's schema that no other has.
func componentName(name string, taken object) string {
	plain := strings.Map(identifier, name)
	for n := 2; ; n++ {
		if _, ok := taken[plain]; !ok {
			return plain
		}
		plain = strings.Map(identifier, name) + "-" + strconv.Itoa(n)
	}
}

// parameters are what the query may have: the properties that are not objects.
func (e *endpoint) parameters() []any {
	document, _ := e.document().(object)
	properties, _ := document["properties"].(object)
	required, _ := document["required"].([]any)
	types := e.types()
	var parameters []any
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		schema := object{}
		switch kind := types[name]; kind {
		case "object":
			continue
		case "array":
			schema = object{"type": kind, "items": object{}}
		case "":
		default:
			schema["type"] = kind
		}
		parameters = append(parameters, object{"name": name, "in": "query", "required": slices.Contains(required, any(name)), "schema": schema})
	}
	return parameters
}

// examples are those of metadata and of the file beside the script.
func (e *endpoint) examples() object {
	examples := object{}
	for name, raw := range e.metadata.Examples {
		var example object
		if json.Unmarshal(raw, &example) != nil {
			continue
		}
		if _, ok := example["value"]; ok && len(raw) <= exampleBytesMax {
			only := object{"value": example["value"]}
			for _, field := range []string{"summary", "description"} {
				if text, ok := example[field].(string); ok {
					only[field] = text
				}
			}
			examples[name] = only
		}
	}
	if e.example != nil && len(e.example) <= exampleBytesMax {
		examples["data"] = object{"summary": "The example beside the script", "value": json.RawMessage(e.example)}
	}
	return examples
}

// definitionsOld is what $defs were called before.
const definitionsOld = "definitions"

// renamed is a schema whose definitions are where OpenAPI's tools look for them.
func renamed(schema any) any {
	document, _ := schema.(object)
	old, ok := document[definitionsOld].(object)
	if !ok {
		return schema
	}
	document = maps.Clone(document)
	delete(document, definitionsOld)
	all := maps.Clone(old)
	if present, ok := document["$defs"].(object); ok {
		maps.Copy(all, present)
	}
	document["$defs"] = all
	return document
}

// relocated is a schema that stands in another document: what it refers to in itself
// is there. An id of its own would say otherwise.
func relocated(schema any, at string) any {
	switch v := schema.(type) {
	case map[string]any:
		moved := object{}
		for name, value := range v {
			text, isText := value.(string)
			switch {
			case name == "$ref" && isText && strings.HasPrefix(text, "#/"+definitionsOld+"/"):
				moved[name] = at + "/$defs/" + text[len("#/"+definitionsOld+"/"):]
			case name == "$ref" && isText && strings.HasPrefix(text, "#/"):
				moved[name] = at + text[1:]
			case name == "$ref" && text == "#":
				moved[name] = at
			case (name == "$id" || name == "$schema") && isText:
			default:
				moved[name] = relocated(value, at)
			}
		}
		return moved
	case []any:
		moved := make([]any, len(v))
		for n := range v {
			moved[n] = relocated(v[n], at)
		}
		return moved
	}
	return schema
}
