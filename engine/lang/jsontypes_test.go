package lang_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// everyShape has each field of the language once, in every form it can take.
const everyShape = `{"language":1,"cli":{
	"zeta":{"bin":"z","argv":["a","{params}"],"params":{"z":{"doc":"d","flag":"--z","danger":true},"a":{"doc":"d","flag":"--a","enum":["x"],"danger":["x"],"default":"x"},"m":{"doc":"d","type":"bool","flag":"--m","default":false}},
		"upgrade":{"latest":["up"],"target":{"bin":"npm","argv":["i","{target}"]},"where":{"z":{"path":"p","latest":["up"],"target":["to","{target}"],"note":"n"},"a":{"path":"q"}}},"versions":{"<2":{"argv":[]},"<1":{}},"login":{"env":["E"],"files":["~/f"],"hint":"h"},"success":"true","risk":[{"id":"i","when":"true","score":7,"reason":"r"}]},
	"acme":{"title":"T","doc":"D","bin":"b","install":"i","unverified":"u","argv":{"new":["n"],"resume":[],"latest":["l"]},
		"prompt":{"via":"arg","flag":"-p","min":0,"max":5,"maxBytes":6,"guard":" ","excerptBytes":7,"expands":["@path"]},
		"params":{"p":{"doc":"d","type":"list","flag":"-f","style":"sep","value":"v={json}","each":true,"required":true,"minLength":0,"maxLength":1,"maxItems":2,"pattern":"p","modes":["new"],"at":"g","when":"w","conflicts":["c"],"requires":["r"],"since":"1","until":"2","otherwise":"drop","rare":true},
			"q":{"doc":"d","type":"number","env":"E","min":0,"max":-1.5},"v":{"doc":"d","enum":["a"],"values":{"a":[]},"sep":";"},"w":{"doc":"d","words":["w"],"off":"--no"},"s":{"doc":"d","enum":["b"],"show":{"b":"events"}}},
		"models":{"default":"m","aliases":{"z":"","a":"b"},"known":{"k":{"doc":"d","use":"u"},"a":{}},"prefix":"P",
			"sources":{"v":{"env":"E"},"f":{"path":"~/f","files":"*","var":"V","format":"json","key":["k","l"],"gives":"observed"},"g":{"path":["$A/x","/x"],"key":"k"}}},
		"session":{"id":"i","create":["c"],"resume":["r"],"latest":["l"],"capture":{"when":"w","take":"t","fold":"first"},"bound":"cwd"},
		"mcp":{"default":[],"words":["{file}"],"each":["{name}"],"trusted":["t"],"strict":["s"],"none":["n"],"file":{"name":"f.json","text":"-{json}","env":"E","body":{"b":["{list}",1,true,null]},"server":{"s":"{command}"},"each":{"{name}":1},"trusted":{"t":["{name}"]}},"own":[{"path":"~/o","key":"k"}]},
		"output":{"format":"jsonl","end":"e","text":"t","model":{"take":"m"},"cost":{"take":"c","fold":"sum"},"costScope":"session","error":{"when":"w","take":"e"},"usage":{"scope":"session","input":"i","output":"o","cacheRead":"r","cacheWrite":"w","reasoning":"s"},"progress":[{"when":"w","label":"l","take":"t","fold":"concat"},{"line":"x"}]},
		"exits":{"9":"a","10":"b"},"failure":[{"class":"c","when":"w","hint":"h","retry":true},{"class":"c","when":"w","retry":{"afterMs":"x"}},{"class":"c","when":"w"}],
		"env":{"pass":["A*"],"set":{"Z":"1","A":""},"drop":["B"]},"onCancel":"detach","concurrency":2,"timeouts":{"idleMs":0,"wallMs":1000,"graceMs":5},
		"version":{"argv":["-v"],"match":"m"},"probe":{"help":[["-h"],[]],"ignore":["--a*"],"hidden":["--b=c"]},
		"examples":[{"in":{},"refused":"r","env":{"E":"1"}},{"name":"n","version":"1","in":{"prompt":"p"},"mode":"new","files":{"z":"t","a":{"k":1}},"risk":[],"verdict":{"z":"deny"},"argv":[],"stdin":"","env":["E"],"stdout":"o","stderr":"e","exit":1,"out":{"text":"","session":"s","model":"m","class":"c","error":"e","usage":{"u":1},"cost":0,"progress":"p"}},{"in":{}}]}},
	"client":{"c":{"title":"t","add":"a","note":"n","files":["~/f"],"config":{"file":"~/f","key":["a","b"],"entry":{"z":"{gateway}","a":["x",{"y":1}]}}},"d":{"title":"t","add":"a","config":{"file":{"darwin":"~/d","linux":"~/l"},"key":"k","entry":{}}}},
	"mcp":{"z":{"command":"c"},"a":{"title":"t","command":"c","args":["a"],"env":["E"],"trust":true}},
	"optimizer":{"z":{"doc":"d","keep":{"z":"k","a":"l"},"rules":{"z":{"match":"m","replace":"r"},"a":{"match":"n"}},"examples":[{"in":"i","out":"o"}]},"a":{"rules":{}}},
	"policy":{"z":{"doc":"d","approve":0,"ask":5,"deny":["i"],"human":"deny","includes":"a"},"a":{"approve":1}},
	"risk":{"z":{"when":"true","score":3,"reason":"r"},"a":{"when":"false","score":0}},
	"gateway":{"logsDb":"l","optimizers":{"prompt":"z","response":"a"},"envFile":"e","debug":true,"env":{"pass":["A"]},"path":["p"],"timeouts":{"idleMs":1},"outputCap":5,"jobs":{"db":"d","retentionDays":7,"syncMs":1,"dedupMs":2,"onCancel":"kill","detachOn":["t"],"concurrency":3,"maxDepth":3,"queueMs":4},"sessions":{"retentionDays":3},"mcpServers":["a"],"injected":["i"],"approvals":{"strategy":"legacy","policy":"z","enforce":true,"danger":"deny","askMs":1000,"retentionDays":5},"tools":{"list":["z"],"fallback":["z"],"profile":"compact"},"reload":"hold"}}`

func TestSpecRoundTrip(t *testing.T) {
	texts := []string{everyShape, `{}`, `{"cli":{"a":{"bin":"b","argv":[]}}}`}
	cases, err := filepath.Glob("check/testdata/problems/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, `{"cli":{"a":`+string(a.Files[0].Data)+`}}`)
	}
	for _, list := range []string{`"all"`, `"found"`, `[]`, `["a"]`, `["a","b"]`} {
		texts = append(texts, `{"gateway":{"tools":{"list":`+list+`}}}`)
	}
	for _, text := range texts {
		var first, second lang.Spec
		if err := json.Unmarshal([]byte(text), &first); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		once, err := json.Marshal(&first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(once, &second); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, _ := json.Marshal(&second)
		if !bytes.Equal(once, twice) {
			t.Errorf("written once: %s\nand twice:   %s", once, twice)
		}
		if text == everyShape && !reflect.DeepEqual(first, second) {
			t.Errorf("got  %+v\nwant %+v", second, first)
		}
	}
}

// TestEveryShapeIsComplete fails when a field of the language is added and not
// written into everyShape.
func TestEveryShapeIsComplete(t *testing.T) {
	var s lang.Spec
	if err := json.Unmarshal([]byte(everyShape), &s); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(v.MapIndex(key))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				seen[name] = seen[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(s))
	for name, set := range seen {
		if !set {
			t.Errorf("%s is never set", name)
		}
	}
}

func TestMapKeepsOrder(t *testing.T) {
	var m lang.Map[int]
	if err := json.Unmarshal([]byte(`{"z":1,"a":2,"m":3,"z":4}`), &m); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Keys(), ""); got != "zam" || m.Len() != 3 {
		t.Errorf("keys %q", got)
	}
	if v, ok := m.Get("z"); v != 4 || !ok {
		t.Errorf("z = %d, %v", v, ok)
	}
	if _, ok := m.Get("b"); ok {
		t.Error("b is there")
	}
	text, err := json.Marshal(m)
	if err != nil || string(text) != `{"z":4,"a":2,"m":3}` {
		t.Errorf("%s, %v", text, err)
	}
	for k := range m.All() {
		if k != "z" {
			t.Errorf("went on to %s", k)
		}
		break
	}
	if err := json.Unmarshal([]byte(`{"b":1}`), &m); err != nil || !slices.Equal(m.Keys(), []string{"b"}) {
		t.Errorf("read again: %v, %v", m.Keys(), err)
	}
	for _, bad := range []string{`[]`, `1`, `{"a":"x"}`} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestShapeErrors(t *testing.T) {
	for _, bad := range []string{`{"argv":"x"}`, `{"argv":{"new":1}}`, `{"failure":[{"retry":{"afterMs":1}}]}`, `{"failure":[{"retry":"x"}]}`,
		`{"session":{"capture":1}}`, `{"upgrade":{"latest":"x"}}`, `{"params":{"a":{"danger":"x"}}}`} {
		var cli lang.CLISpec
		if err := json.Unmarshal([]byte(bad), &cli); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
