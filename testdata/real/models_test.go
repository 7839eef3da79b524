package real

import (
	"encoding/json"
	"testing"
)

// TestObservedModels: the history of each program holds the model that answered, where
// its spec says that it does. The record of calls, which holds it as well, is left out.
func TestObservedModels(t *testing.T) {
	each(t, func(t *testing.T, c cli) {
		g := start(t, "ok", c)
		observed := func() map[string]string {
			cmd := g.command("models", c.name, "--format=json")
			cmd.Env = append(cmd.Env, "LLM_GATEWAY_LOGS_DB=none")
			said, err := cmd.Output()
			var listing struct {
				CLIs map[string]struct {
					ModelMetadata map[string]struct{ Source, From string }
				}
			}
			if err != nil || json.Unmarshal(said, &listing) != nil || len(listing.CLIs) != 1 {
				t.Fatalf("%v: %s", err, said)
			}
			names := map[string]string{}
			for name, m := range listing.CLIs[c.name].ModelMetadata {
				if m.Source == "observed" {
					names[name] = m.From
				}
			}
			return names
		}
		if names := observed(); len(names) > 0 {
			t.Errorf("before any call there are %v", names)
		}
		// It is not the one that a variable names, which is more to be trusted.
		model := property{Type: "string"}.values(t, c, "model")[0].(string)
		if r := g.call(c, args{"prompt": marked("hi"), "model": model}); r.IsError {
			t.Fatal(r.text())
		}
		names := observed()
		if _, ok := names[model]; ok != c.history || ok != (len(names) == 1) {
			t.Errorf("%v were observed, with a history that can be read: %v", names, c.history)
		}
	})
}
