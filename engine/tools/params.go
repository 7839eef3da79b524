package tools

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// params are the parameters of a tool as the fields of its input declare them, in their
// order and with those of embedded structs. The Go type of a field is the type of the
// parameter; its tags have the names that specs use: json (the name of the parameter),
// doc, required, nullable, default, enum, min, max, minLength, maxLength.
func params(in reflect.Type) []*catalog.Param {
	var out []*catalog.Param
	for _, field := range inputFields(in) {
		p, err := param(field)
		if err != nil {
			panic(fmt.Sprintf("tools: field %s of %s: %v", field.Name, in, err))
		}
		out = append(out, p)
	}
	return out
}

// inputFields are the fields that are parameters.
func inputFields(in reflect.Type) (fields []reflect.StructField) {
	for _, field := range reflect.VisibleFields(in) {
		if !field.Anonymous {
			fields = append(fields, field)
		}
	}
	return fields
}

func paramName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

var paramKinds = map[reflect.Kind]catalog.Kind{reflect.String: catalog.String, reflect.Bool: catalog.Bool, reflect.Int: catalog.Int, reflect.Slice: catalog.List}

// param reads the tags of a field. The error says what is wrong with them.
func param(field reflect.StructField) (*catalog.Param, error) {
	p := &catalog.Param{Name: paramName(field), Kind: paramKinds[field.Type.Kind()]}
	if p.Name == "" || p.Kind == "" {
		return nil, fmt.Errorf("has no name or a type that no parameter has")
	}
	var failed error
	for key, read := range map[string]func(text string) error{
		"doc":       func(text string) error { p.Doc = text; return nil },
		"enum":      func(text string) error { p.Enum = strings.Split(text, ","); return nil },
		"required":  func(text string) (err error) { p.ParamSpec.Required, err = strconv.ParseBool(text); return err },
		"nullable":  func(text string) (err error) { p.Nullable, err = strconv.ParseBool(text); return err },
		"default":   func(text string) (err error) { p.Default, err = preset(p.Kind, text); return err },
		"min":       func(text string) (err error) { p.Min, err = pointer(strconv.ParseFloat(text, 64)); return err },
		"max":       func(text string) (err error) { p.Max, err = pointer(strconv.ParseFloat(text, 64)); return err },
		"minLength": func(text string) (err error) { p.MinLength, err = pointer(strconv.Atoi(text)); return err },
		"maxLength": func(text string) (err error) { p.MaxLength, err = pointer(strconv.Atoi(text)); return err },
	} {
		if text, ok := field.Tag.Lookup(key); ok && failed == nil {
			failed = read(text)
		}
	}
	return p, failed
}

// preset is a default with the Go type of its kind.
func preset(kind catalog.Kind, text string) (any, error) {
	switch kind {
	case catalog.Bool:
		return strconv.ParseBool(text)
	case catalog.Int:
		return strconv.Atoi(text)
	}
	return text, nil
}

func pointer[T any](v T, err error) (*T, error) { return &v, err }

// setInput writes bound values, which have the Go types of their kinds, into the fields of
// an input; what was not given stays zero.
func setInput(in reflect.Value, values map[string]any) {
	for _, field := range inputFields(in.Type()) {
		target := in.FieldByIndex(field.Index)
		switch v := values[paramName(field)].(type) {
		case string:
			target.SetString(v)
		case bool:
			target.SetBool(v)
		case int:
			target.SetInt(int64(v))
		case []string:
			target.Set(reflect.ValueOf(v))
		}
	}
}
