package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"oneqtour/apps/internal/fault"
)

// DecodeJSON is Decode for a body at hand.
func DecodeJSON[T any](raw []byte) (T, error) {
	var t T
	if !utf8.Valid(raw) {
		return t, fault.New(fault.Malformed)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return t, fault.New(fault.Malformed).Because(err)
	}
	if _, ok := tree.(map[string]any); !ok {
		return t, fault.New(fault.Malformed)
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		malformed := fault.New(fault.Malformed).Because(err)
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			at := memberAt(raw, wrong.Offset)
			malformed.Fields = []fault.Field{{Name: at.name, Pointer: at.pointer, Code: fault.BadFormat, Detail: jsonType(wrong.Type)}}
		}
		return t, malformed
	}
	var unknown fault.Fields
	findUnknown(tree, reflect.TypeFor[T](), member{}, &unknown)
	return t, unknown.Err()
}

// member is a place in a document: departures[0].date for people, /departures/0/date for machines.
type member struct{ name, pointer string }

func (m member) child(name string) member {
	return member{strings.TrimPrefix(m.name+"."+name, "."), m.pointer + "/" + escapePointer.Replace(name)}
}

func (m member) element(i int) member {
	n := strconv.Itoa(i)
	return member{m.name + "[" + n + "]", m.pointer + "/" + n}
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1") // RFC 6901

// findUnknown walks the input beside the type that it was decoded into. encoding/json would accept a member
// in another letter case and silently drop one that it does not know.
func findUnknown(tree any, t reflect.Type, at member, unknown *fault.Fields) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := tree.(type) {
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return
		}
		members := membersOf(t)
		for name, value := range v {
			if unknown.Full() {
				return
			}
			if ft, ok := members[name]; ok {
				findUnknown(value, ft, at.child(name), unknown)
				continue
			}
			is := at.child(short(name))
			unknown.Note(fault.Field{Name: is.name, Pointer: is.pointer, Code: fault.UnknownName})
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return
		}
		for i, value := range v {
			if unknown.Full() {
				return
			}
			findUnknown(value, t.Elem(), at.element(i), unknown)
		}
	}
}

// short cuts a name that a client made up, so that the answer does not carry it back whole.
func short(name string) string {
	const max = 100
	if len(name) <= max {
		return name
	}
	return strings.ToValidUTF8(name[:max], "") + "…"
}

func membersOf(t reflect.Type) map[string]reflect.Type {
	members := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			for n, ft := range membersOf(f.Type) {
				members[n] = ft
			}
		case name != "" && name != "-":
			members[name] = f.Type
		}
	}
	return members
}

// memberAt finds the member whose value begins or ends at an offset of a document, as encoding/json counts it in
// its errors: it names the members on the way, but not which element of an array it was.
func memberAt(raw []byte, offset int64) member {
	type level struct {
		at     member // of the object or array
		array  bool
		n      int    // elements so far
		member string // last name read, of an object
		named  bool   // and its value is next
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var open []level
	for {
		token, err := d.Token()
		if err != nil {
			return member{}
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		at := member{}
		if len(open) > 0 {
			in := &open[len(open)-1]
			switch {
			case in.array:
				at = in.at.element(in.n)
				in.n++
			case !in.named:
				in.member, in.named = token.(string), true
				continue
			default:
				at, in.named = in.at.child(in.member), false
			}
		}
		if d.InputOffset() >= offset {
			return at
		}
		if token == json.Delim('{') || token == json.Delim('[') {
			open = append(open, level{at: at, array: token == json.Delim('[')})
		}
	}
}

// jsonType is what a client must send for a Go type.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Pointer:
		return jsonType(t.Elem())
	}
	return "object"
}
