package seal

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Marshal writes a value in the form of CanonicalJSON. It takes structs with
// json tags ("name", "omitempty", "omitzero", "string"; embedded structs give
// their members to the outer one), pointers to them, slices, strings, booleans,
// integers, interfaces that hold such, and whatever writes itself as text. Every member has a tag with an
// ASCII name. A nil slice is an empty list, a nil pointer is null.
//
// A string that is not UTF-8 is an error, and so is an integer beyond 2^53 - 1
// that is not tagged "string".
func Marshal(value any) ([]byte, error) {
	v := reflect.ValueOf(value)
	dst, err := planOf(v.Type()).append(nil, v)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return dst, nil
}

// A plan writes the values of one type.
type plan interface {
	append(dst []byte, v reflect.Value) ([]byte, error)
}

// plans holds the plan of every type seen, by reflect.Type.
var plans sync.Map

var textType = reflect.TypeFor[encoding.TextMarshaler]()

func planOf(t reflect.Type) plan {
	if p, ok := plans.Load(t); ok {
		return p.(plan)
	}
	p := newPlan(t)
	plans.Store(t, p)
	return p
}

func newPlan(t reflect.Type) plan {
	switch {
	case t.Implements(textType):
		return textPlan{}
	case t.Kind() == reflect.Struct:
		return newStructPlan(t)
	case t.Kind() == reflect.Slice:
		return slicePlan{planOf(t.Elem())}
	case t.Kind() == reflect.Interface:
		return interfacePlan{}
	case t.Kind() == reflect.Pointer:
		return pointerPlan{planOf(t.Elem())}
	case t.Kind() == reflect.String:
		return stringPlan{}
	case t.Kind() == reflect.Bool:
		return boolPlan{}
	case reflect.Zero(t).CanInt() || reflect.Zero(t).CanUint():
		return integerPlan{}
	}
	panic(fmt.Sprintf("seal: no canonical JSON for type %s", t))
}

type textPlan struct{}

func (textPlan) append(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return nil, err
	}
	return appendString(dst, string(text))
}

type stringPlan struct{}

func (stringPlan) append(dst []byte, v reflect.Value) ([]byte, error) {
	return appendString(dst, v.String())
}

type boolPlan struct{}

func (boolPlan) append(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendBool(dst, v.Bool()), nil
}

// An integerPlan writes integers, quoted if they may be large.
type integerPlan struct{ quoted bool }

func (p integerPlan) append(dst []byte, v reflect.Value) ([]byte, error) {
	if p.quoted {
		dst = append(dst, '"')
	}
	if v.CanInt() {
		if n := v.Int(); !p.quoted && (n > safeIntegerMax || n < -safeIntegerMax) {
			return nil, fmt.Errorf("integer %d is beyond 2^53 - 1", n)
		}
		dst = strconv.AppendInt(dst, v.Int(), 10)
	} else {
		if n := v.Uint(); !p.quoted && n > safeIntegerMax {
			return nil, fmt.Errorf("integer %d is beyond 2^53 - 1", n)
		}
		dst = strconv.AppendUint(dst, v.Uint(), 10)
	}
	if p.quoted {
		dst = append(dst, '"')
	}
	return dst, nil
}

type pointerPlan struct{ elem plan }

func (p pointerPlan) append(dst []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	return p.elem.append(dst, v.Elem())
}

type interfacePlan struct{}

func (interfacePlan) append(dst []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	return planOf(v.Elem().Type()).append(dst, v.Elem())
}

type slicePlan struct{ elem plan }

func (p slicePlan) append(dst []byte, v reflect.Value) (_ []byte, err error) {
	dst = append(dst, '[')
	for n := range v.Len() {
		if n > 0 {
			dst = append(dst, ',')
		}
		if dst, err = p.elem.append(dst, v.Index(n)); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// A member is a field of a struct as a member of an object.
type member struct {
	name   string
	index  []int  // path of the field, through embedded structs
	prefix []byte // the name and colon as written
	omit   func(reflect.Value) bool
	plan   plan
}

// A structPlan writes the members of a struct, sorted by name.
type structPlan []member

func newStructPlan(t reflect.Type) structPlan {
	var list structPlan
	for n := range t.NumField() {
		field := t.Field(n)
		if field.Anonymous {
			for _, inner := range newStructPlan(field.Type) {
				inner.index = append([]int{n}, inner.index...)
				list = append(list, inner)
			}
			continue
		}
		list = append(list, newMember(field))
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return list
}

func newMember(field reflect.StructField) member {
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "" || !isASCII(name) {
		panic(fmt.Sprintf("seal: no canonical JSON for field %s with tag %q", field.Name, field.Tag))
	}
	m := member{name: name, index: field.Index, prefix: []byte(strconv.Quote(name) + ":"), plan: planOf(field.Type)}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "string":
			m.plan = integerPlan{quoted: true}
		case "omitempty":
			m.omit = isEmpty
		case "omitzero":
			m.omit = reflect.Value.IsZero
		default:
			panic(fmt.Sprintf("seal: field %s with option %q", field.Name, option))
		}
	}
	return m
}

// isEmpty is what "omitempty" leaves out.
func isEmpty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.Kind() != reflect.Struct && v.Kind() != reflect.Array && v.IsZero()
}

func (p structPlan) append(dst []byte, v reflect.Value) (_ []byte, err error) {
	dst = append(dst, '{')
	empty := true
	for _, m := range p {
		field := v.FieldByIndex(m.index)
		if m.omit != nil && m.omit(field) {
			continue
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		if dst, err = m.plan.append(append(dst, m.prefix...), field); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return append(dst, '}'), nil
}
