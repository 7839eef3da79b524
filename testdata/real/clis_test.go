package real

import (
	"fmt"
	"testing"
)

// cli is what the tests must know of one program.
type cli struct {
	name string // of its spec and of its binary

	// setup lays its configuration out for a vendor at the URL base: variables for
	// the environment file, and files by their path below HOME.
	setup func(base string) (env, files map[string]string)

	tells   tells
	history bool // it keeps one that its spec says how to read
	limit   int  // bytes from which on its model sees only an excerpt; 0: none

	// values are for parameters where those of usual (parameters_test.go) do not do.
	values map[string]any
	// needs are parameters whose value true asks for what a machine may lack, with
	// the class of the failure where it does.
	needs map[string]string

	// shell is its tool that runs commands, as a pattern; allow are arguments with
	// which it runs one that writes a file, unlike without them.
	shell string
	allow args

	mcp mcp

	// collides: of runs that begin at once one may find the database of all locked. It
	// says so before it does anything.
	collides bool

	// gives says with which class of failure it gives up on a vendor who plays a
	// scenario; elsewhere it tries again for so long that the time limit ends it.
	gives map[string]string
	// again says how often the gateway makes a call that failed with a class; once elsewhere.
	again map[string]int
}

// tells is what a program says about a turn.
type tells struct{ model, usage, cost bool }

const key = "sk-fake-0123456789-0123456789"

var clis = []cli{
	{
		name: "claude",
		setup: func(base string) (env, files map[string]string) {
			return map[string]string{
				"ANTHROPIC_BASE_URL": base, "ANTHROPIC_API_KEY": key, "CLAUDE_CODE_MAX_RETRIES": "0",
				"IS_SANDBOX": "1", // or it refuses to skip permissions as root
			}, nil
		},
		tells:   tells{model: true, usage: true, cost: true},
		history: true,
		shell:   "^Bash$",
		allow:   args{"dangerouslySkipPermissions": true},
		mcp:     mcp{scenario: `tool:^mcp__(one|two|shy)__echo$`, own: []string{".claude.json", "mcpServers"}, strict: true},
		gives:   map[string]string{"e401": "auth", "e404": "model", "e429": "rate_limit", "e500": "transient", "cut": "transient", "empty": "empty"},
		again:   map[string]int{"rate_limit": 5, "transient": 5},
	},
	{
		name: "codex",
		setup: func(base string) (env, files map[string]string) {
			return map[string]string{"OPENAI_API_KEY": key}, map[string]string{".codex/config.toml": fmt.Sprintf(`
model = "gpt-5.5"
model_provider = "fake"
[model_providers.fake]
name = "fake"
base_url = "%s/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
[analytics]
enabled = false
[features]
plugins = false
`, base)}
		},
		tells:   tells{model: true, usage: true},
		history: true,
		shell:   "^exec_command$",
		allow:   args{"dangerouslyBypassApprovalsAndSandbox": true},
		mcp:     mcp{scenario: `tool:^mcp__.*/echo$`, args: args{"model": "unknown-model"}},
		gives:   map[string]string{"e401": "auth", "e404": "error" /* it shows the vendor's text alone */, "e429": "rate_limit", "e500": "transient", "cut": "transient", "empty": "empty"},
		again:   map[string]int{"rate_limit": 2, "transient": 2},
	},
	{
		name: "gemini",
		setup: func(base string) (env, files map[string]string) {
			return map[string]string{
					"GOOGLE_GEMINI_BASE_URL": base, "GEMINI_API_KEY": key,
					"GEMINI_MODEL":         "gemini-3.8-flash", // else it asks a model which model to ask, again and again
					"GEMINI_SANDBOX_IMAGE": "localhost/none",   // nothing is to be downloaded
				}, map[string]string{".gemini/settings.json": `{
				"security": {"auth": {"selectedType": "gemini-api-key"}},
				"privacy": {"usageStatisticsEnabled": false},
				"general": {"enableAutoUpdate": false, "maxAttempts": 1,
					"sessionRetention": {"enabled": false}}}`} // its clean-up removes conversations that were resumed
		},
		tells:   tells{model: true, usage: true},
		history: true,
		needs:   map[string]string{"sandbox": "config"},
		shell:   "^run_shell_command$",
		allow:   args{"approvalMode": "yolo"},
		mcp:     mcp{scenario: `tool:^mcp_.*_echo$`, own: []string{".gemini/settings.json", "mcpServers"}, takesOwn: true, strict: true},
		gives:   map[string]string{"e401": "auth", "e404": "model", "e429": "rate_limit", "e500": "transient", "cut": "transient", "empty": "empty"},
		again:   map[string]int{"rate_limit": 2, "transient": 2},
	},
	{
		name: "grok",
		setup: func(base string) (env, files map[string]string) {
			// A key in the environment would make it look for its vendor at each start.
			return nil, map[string]string{".grok/config.toml": fmt.Sprintf(`
[cli]
auto_update = false
[features]
telemetry = false
[models]
default = "fake"
[model.fake]
model = "fake-model"
base_url = "%[1]s/v1"
api_key = "%[2]s"
api_backend = "chat_completions"
context_window = 200000
[model.asked-for-model]
model = "asked-for-model"
base_url = "%[1]s/v1"
api_key = "%[2]s"
api_backend = "chat_completions"
context_window = 200000
`, base, key)}
		},
		tells: tells{model: true, usage: true, cost: true},
		limit: 100_000,
		values: map[string]any{
			"allowedTools":    []string{"read_file", "grep"},
			"disallowedTools": []string{"web_search", "image_gen"},
		},
		shell: "^run_terminal_command$",
		allow: args{"alwaysApprove": true},
		mcp:   mcp{scenario: `tool:^use_tool$={"tool_name":"{prompt}__echo","tool_input":{"text":"hi-from-model"}}`},
		gives: map[string]string{"e401": "auth", "e404": "model", "e429": "rate_limit", "empty": "empty"},
		again: map[string]int{"rate_limit": 2, "empty": 2},
	},
	{
		name: "copilot",
		setup: func(base string) (env, files map[string]string) {
			return map[string]string{
				"COPILOT_OFFLINE": "true", "COPILOT_MODEL": "fake-model",
				"COPILOT_PROVIDER_BASE_URL": base + "/v1", "COPILOT_PROVIDER_API_KEY": key,
				"XDG_CACHE_HOME": clisDir + "/home/.cache", // 235 MB are unpacked into a new one
			}, nil
		},
		tells: tells{model: true, usage: true},
		shell: "^bash$",
		allow: args{"allowAllTools": true},
		mcp:   mcp{scenario: `tool:-echo$`},
		gives: map[string]string{"e401": "auth", "e404": "model", "e500": "transient", "cut": "transient", "empty": "empty"},
		again: map[string]int{"transient": 2, "empty": 2},
	},
	{
		name: "qwen",
		setup: func(base string) (env, files map[string]string) {
			return map[string]string{"OPENAI_BASE_URL": base + "/v1", "OPENAI_API_KEY": key, "OPENAI_MODEL": "fake-model"},
				map[string]string{".qwen/settings.json": `{
				"privacy": {"usageStatisticsEnabled": false},
				"general": {"enableAutoUpdate": false}}`}
		},
		tells:   tells{model: true, usage: true},
		history: true,
		shell:   "^run_shell_command$",
		allow:   args{"approvalMode": "yolo"},
		// It offers tools of servers behind one tool that calls any.
		mcp:   mcp{scenario: `tool:^tool_call$={"name":"mcp__{prompt}__echo","arguments":{"text":"hi-from-model"}}`, own: []string{".qwen/settings.json", "mcpServers"}, strict: true},
		gives: map[string]string{"e401": "auth", "e404": "model", "cut": "transient", "empty": "empty"},
		again: map[string]int{"transient": 2, "empty": 2},
	},
	{
		name: "opencode",
		setup: func(base string) (env, files map[string]string) {
			const plugin = `{"dependencies": {"@opencode-ai/plugin": "*"}}`
			return map[string]string{"OPENCODE_DISABLE_MODELS_FETCH": "1"}, map[string]string{
				".config/opencode/opencode.json": fmt.Sprintf(`{
				"model": "fake/fake-model",
				"provider": {"fake": {"npm": "@ai-sdk/openai-compatible",
					"options": {"baseURL": "%s/v1", "apiKey": "%s"},
					"models": {"fake-model": {}, "asked-for-model": {}}}}}`, base, key),
				// It would download these beside every call that finds them missing.
				".config/opencode/package.json":       plugin,
				".config/opencode/package-lock.json":  `{"packages": {"": ` + plugin + `}}`,
				".config/opencode/node_modules/.keep": "",
			}
		},
		tells:    tells{usage: true, cost: true},
		values:   map[string]any{"model": "fake/asked-for-model", "agent": "plan", "variant": "high"},
		shell:    "^bash$",
		allow:    args{"permission": "configured"},
		mcp:      mcp{scenario: `tool:_echo$`},
		collides: true,
		gives:    map[string]string{"e401": "auth", "e404": "model", "empty": "empty"},
	},
}

func (c cli) tool() string { return c.name + "_request" }

// each runs a test for every CLI, side by side.
func each(t *testing.T, test func(t *testing.T, c cli)) {
	t.Parallel()
	for _, c := range clis {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}
