package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llm-cli-gateway/gateway/engine/lang/editorschema"
)

// TestJSONSchema holds that what editors are told is what the gateway means.
func TestJSONSchema(t *testing.T) {
	text, err := editorschema.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("spec.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("spec.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return s.Validate(v)
	}
	for _, file := range builtin(t).Files {
		root := parse(file, Evaluation{}, &report{}).root
		if err := valid(string(alone(nil, root))); err != nil {
			t.Errorf("%s: %v", file.Name, err)
		}
	}
	for text, good := range map[string]bool{
		`{}`:             true,
		`{"language":1}`: true,
		`{"language":2}`: false,
		`{"cli":{"acme":{"models":{"aliases":{"cheap":"mini","old":null}}}}}`: true,
		`{"cli":{"acme":null}}`: true,
		`{"cli":{"acme":{"bin":"acme","argv":["a"],"sesion":{}}}}`:                                    false,
		`{"cli":{"Acme":{"bin":"acme"}}}`:                                                             false,
		`{"cli":{"acme":{"bin":"a b"}}}`:                                                              false,
		`{"cli":{"acme":{"argv":{"new":["a"],"resume":["b"]}}}}`:                                      true,
		`{"cli":{"acme":{"argv":"a b"}}}`:                                                             false,
		`{"cli":{"acme":{"params":{"p":{"doc":"d","flag":"p"}}}}}`:                                    false,
		`{"cli":{"acme":{"params":{"p":{"flag":"--p","type":"boolean"}}}}}`:                           false,
		`{"cli":{"acme":{"params":{"p":{"flag":"--p","type":"bool","danger":["x"],"noFlag":null}}}}}`: true,
		`{"cli":{"acme":{"examples":[{"in":{"prompt":"hi","n":1}}]}}}`:                                true,
		`{"cli":{"acme":{"examples":[{"argv":[]}]}}}`:                                                 false,
		`{"cli":{"acme":{"risk":[{"when":"true","score":7}]}}}`:                                       true,
		`{"cli":{"acme":{"risk":[{"when":"true"}]}}}`:                                                 false,
		`{"cli":{"acme":{"versions":{"<2":{"argv":["x"]}}}}}`:                                         true,
		`{"cli":{"acme":{"output":{"text":{"fold":"sum"}}}}}`:                                         true,
		`{"cli":{"acme":{"timeouts":{"idleMs":0,"wallMs":1000}}}}`:                                    true,
		`{"cli":{"acme":{"timeouts":{"idleMs":"x"}}}}`:                                                false,
		`{"gateway":{"tools":{"list":["a"]},"approvals":{"danger":"deny"}}}`:                          true,
		`{"gateway":{"approvals":{"danger":"never"}}}`:                                                false,
		`{"gateway":{"timeouts":{"wallMs":5000},"envFile":null}}`:                                     true,
		`{"settings":{}}`: false,
	} {
		if err := valid(text); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
	var described func(path string, v any)
	described = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for i, inner := range v {
				described(fmt.Sprint(path, "/", i), inner)
			}
		case map[string]any:
			fields, isObject := v["properties"].(map[string]any)
			if isObject && v["additionalProperties"] != false {
				t.Errorf("%s takes any field", path)
			}
			for name, f := range fields {
				if f.(map[string]any)["description"] == nil {
					t.Errorf("%s/%s is not described", path, name)
				}
			}
			for key, inner := range v {
				described(path+"/"+key, inner)
			}
		}
	}
	described("#", doc)
	again, err := editorschema.JSONSchema()
	if err != nil || string(again) != string(text) {
		t.Errorf("made twice it differs: %v", err)
	}
}
