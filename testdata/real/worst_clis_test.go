package real

import (
	"fmt"
	"path/filepath"
)

// worsts are the worst settings by the name of a program: everything is allowed, there are
// hooks that run at the start, and an MCP server of the user (mine) and of the repository
// (repo), whose tools may run unasked.
var worsts = map[string]worst{
	"claude": {
		files: func(p place, files map[string]string) {
			settings := func(who string) string {
				return encode(args{
					"permissions": args{"defaultMode": "bypassPermissions", "additionalDirectories": []string{p.outside, "/"},
						"allow": []string{"Bash", "Write", "Edit", "Read", "WebFetch", "mcp__mine", "mcp__repo"}},
					"enableAllProjectMcpServers": true,
					"hooks":                      args{"SessionStart": []any{args{"hooks": []any{args{"type": "command", "command": p.leaves("hook-" + who)}}}}},
				})
			}
			files[".claude/settings.json"] = settings("user")
			files[".claude.json"] = encode(args{"mcpServers": args{"mine": p.server("mine")}, "hasCompletedOnboarding": true,
				"projects": args{p.work: args{"hasTrustDialogAccepted": true, "enabledMcpjsonServers": []string{"repo"}}}})
			p.write(filepath.Join(p.work, ".claude/settings.json"), settings("repo"))
			p.write(filepath.Join(p.work, ".claude/settings.local.json"), settings("repo"))
			p.write(filepath.Join(p.work, ".mcp.json"), encode(args{"mcpServers": args{"repo": p.server("repo")}}))
		},
		env:   map[string]string{"ENABLE_TOOL_SEARCH": "false"},
		write: tool("Write", "file_path", "content", "x"),
		run:   tool("Bash", "command"),
		call:  func(server string) try { return try{"mcp__" + server + "__echo", args{"text": "hi"}} },
		read:  tool("Read", "file_path"),
	},
	"codex": {
		files: func(p place, files map[string]string) {
			server := func(name string) string {
				s := p.server(name)
				return fmt.Sprintf("[mcp_servers.%s]\ncommand = %s\nargs = %s\ndefault_tools_approval_mode = \"approve\"\n", name, encode(s["command"]), encode(s["args"]))
			}
			const open = "sandbox_mode = \"danger-full-access\"\napproval_policy = \"never\"\n"
			roots := fmt.Sprintf("[sandbox_workspace_write]\nwritable_roots = [%q, \"/\"]\nnetwork_access = true\n", p.outside)
			hook := func(who string) string {
				return encode(args{"hooks": args{"SessionStart": []any{args{"hooks": []any{args{"type": "command", "command": p.leaves("hook-" + who)}}}}}})
			}
			files[".codex/config.toml"] = open + files[".codex/config.toml"] + roots + server("mine") + fmt.Sprintf("[projects.%q]\ntrust_level = \"trusted\"\n", p.work)
			files[".codex/hooks.json"] = hook("user")
			p.write(filepath.Join(p.work, ".codex/config.toml"), open+roots+server("repo"))
			p.write(filepath.Join(p.work, ".codex/hooks.json"), hook("repo"))
		},
		// It edits files by a command, too.
		write: func(path string) try {
			return try{"exec_command", args{"cmd": fmt.Sprintf("apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: %s\n+x\n*** End Patch\nEOF", path)}}
		},
		run:  tool("exec_command", "cmd"),
		call: func(server string) try { return try{"mcp__" + server + "/echo", args{"text": "hi"}} },
		read: func(path string) try { return try{"exec_command", args{"cmd": "cat " + path}} },
	},
	"gemini": {
		files: func(p place, files map[string]string) {
			settings := func(who string) string {
				return encode(args{
					"security": args{"auth": args{"selectedType": "gemini-api-key"}, "folderTrust": args{"enabled": true}},
					"privacy":  args{"usageStatisticsEnabled": false},
					"general":  args{"enableAutoUpdate": false, "maxAttempts": 1, "defaultApprovalMode": "auto_edit", "sessionRetention": args{"enabled": false}},
					"tools": args{"allowed": []string{"write_file", "replace", "run_shell_command", "read_file"}, "autoAccept": true,
						"discoveryCommand": fmt.Sprintf("sh -c \"%s; echo '[]'\"", p.leaves("discovery-"+who))},
					"context":    args{"includeDirectories": []string{p.outside}},
					"mcpServers": args{map[string]string{"user": "mine", "repo": "repo"}[who]: with2(p.server(map[string]string{"user": "mine", "repo": "repo"}[who]), "trust", true), "given": p.server("given")},
					"hooks":      args{"SessionStart": []any{args{"hooks": []any{args{"type": "command", "command": p.leaves("hook-" + who)}}}}},
				})
			}
			files[".gemini/settings.json"] = settings("user")
			files[".gemini/trustedFolders.json"] = encode(args{p.work: "TRUST_FOLDER"})
			files[".gemini/policies/all.toml"] = "[[rule]]\ntoolName = \"*\"\ndecision = \"allow\"\npriority = 999\nallowRedirection = true\n"
			p.write(filepath.Join(p.work, ".gemini/settings.json"), settings("repo"))
			p.write(filepath.Join(p.work, ".gemini/policies/all.toml"), files[".gemini/policies/all.toml"])
		},
		write: tool("write_file", "file_path", "content", "x"),
		run:   tool("run_shell_command", "command"),
		call:  func(server string) try { return try{"mcp_" + server + "_echo", args{"text": "hi"}} },
		read:  tool("read_file", "file_path"),
	},
	"grok": {
		files: func(p place, files map[string]string) {
			server := func(name string) string {
				s := p.server(name)
				return fmt.Sprintf("[mcp_servers.%s]\ncommand = %s\nargs = %s\nenabled = true\n", name, encode(s["command"]), encode(s["args"]))
			}
			const open = "[permission]\nallow = [\"Bash\", \"Edit\", \"Write\", \"Read\", \"MCPTool\", \"*\"]\n"
			hook := func(who string) string {
				return encode(args{"hooks": args{"SessionStart": []any{args{"hooks": []any{args{"type": "command", "command": p.leaves("hook-" + who)}}}}}})
			}
			files[".grok/config.toml"] += "[ui]\npermission_mode = \"always-approve\"\n" + open + server("mine")
			files[".grok/trusted_folders.toml"] = fmt.Sprintf("[folders.%q]\ntrusted = true\n", p.work)
			files[".grok/hooks/start.json"] = hook("user")
			files[".claude/settings.json"] = encode(args{"permissions": args{"defaultMode": "bypassPermissions", "allow": []string{"Bash", "Write", "Edit"}}})
			p.write(filepath.Join(p.work, ".grok/config.toml"), open+server("repo"))
			p.write(filepath.Join(p.work, ".grok/hooks/start.json"), hook("repo"))
			p.write(filepath.Join(p.work, ".mcp.json"), encode(args{"mcpServers": args{"repo": p.server("repo")}}))
			p.write(filepath.Join(p.work, ".claude/settings.json"), files[".claude/settings.json"])
		},
		write: tool("write", "file_path", "content", "x"),
		run:   tool("run_terminal_command", "command", "description", "x"),
		call: func(server string) try {
			return try{"use_tool", args{"tool_name": server + "__echo", "tool_input": args{"text": "hi"}}}
		},
		read: tool("read_file", "target_file"),
	},
	"copilot": {
		files: func(p place, files map[string]string) {
			servers := func(name string) string {
				return encode(args{"mcpServers": args{name: with2(with2(p.server(name), "type", "local"), "tools", []string{"*"})}})
			}
			hook := func(who string) string {
				return encode(args{"version": 1, "hooks": args{"sessionStart": []any{args{"type": "command", "bash": p.leaves("hook-" + who)}}}})
			}
			approved := []any{args{"kind": "write"}, args{"kind": "commands", "commandIdentifiers": []string{"touch", "git status", "git", "rm"}}, args{"kind": "mcp", "serverName": "mine", "toolName": nil}, args{"kind": "mcp", "serverName": "repo", "toolName": nil}}
			files[".copilot/permissions-config.json"] = encode(args{"locations": args{p.work: args{"tool_approvals": approved}}})
			files[".copilot/config.json"] = encode(args{"trusted_folders": []string{p.work, "/"}, "trustedFolders": []string{p.work, "/"}})
			files[".copilot/settings.json"] = encode(args{"defaultPermissionMode": "allow-all"})
			files[".copilot/mcp-config.json"] = servers("mine")
			files[".copilot/hooks/start.json"] = hook("user")
			p.write(filepath.Join(p.work, ".mcp.json"), servers("repo"))
			p.write(filepath.Join(p.work, ".github/mcp.json"), servers("repo"))
			p.write(filepath.Join(p.work, ".github/hooks/start.json"), hook("repo"))
			p.write(filepath.Join(p.work, ".github/copilot/settings.json"), files[".copilot/settings.json"])
		},
		env:   map[string]string{"COPILOT_ALLOW_ALL": "true"},
		write: tool("create", "path", "file_text", "x"),
		run:   tool("bash", "command", "description", "x"),
		call:  func(server string) try { return try{server + "-echo", args{"text": "hi"}} },
		read:  tool("view", "path"),
	},
	"qwen": {
		files: func(p place, files map[string]string) {
			settings := func(who, server string) string {
				return encode(args{
					"privacy": args{"usageStatisticsEnabled": false}, "general": args{"enableAutoUpdate": false},
					"permissions": args{"allow": []string{"write_file", "edit", "run_shell_command", "read_file", "mcp__mine", "mcp__repo"}},
					"tools":       args{"approvalMode": "yolo", "allowed": []string{"write_file", "run_shell_command"}, "discoveryCommand": fmt.Sprintf("sh -c \"%s; echo '[]'\"", p.leaves("discovery-"+who))},
					"context":     args{"includeDirectories": []string{p.outside}},
					"mcpServers":  args{server: with2(p.server(server), "trust", true)},
					"hooks":       args{"SessionStart": []any{args{"hooks": []any{args{"type": "command", "command": p.leaves("hook-" + who)}}}}},
				})
			}
			files[".qwen/settings.json"] = settings("user", "mine")
			files[".qwen/trustedFolders.json"] = encode(args{p.work: "TRUST_FOLDER"})
			p.write(filepath.Join(p.work, ".qwen/settings.json"), settings("repo", "repo"))
		},
		write: tool("write_file", "file_path", "content", "x"),
		run:   tool("run_shell_command", "command", "is_background", false),
		call: func(server string) try {
			return try{"tool_call", args{"name": "mcp__" + server + "__echo", "arguments": args{"text": "hi"}}}
		},
		read: tool("read_file", "file_path"),
	},
	"opencode": {
		files: func(p place, files map[string]string) {
			all := args{"*": "allow", "edit": "allow", "bash": "allow", "external_directory": "allow", "read": "allow"}
			config := func(server string) args {
				s := p.server(server)
				return args{"permission": all, "agent": args{"build": args{"permission": all}, "plan": args{"permission": all}, "own": args{"permission": all, "mode": "primary"}}, "default_agent": "own",
					"mcp": args{server: args{"type": "local", "enabled": true, "command": append([]string{s["command"].(string)}, s["args"].([]string)...)}}}
			}
			plugin := func(who string) string {
				return fmt.Sprintf("import fs from 'fs'\nexport const P = async () => { fs.writeFileSync(%q, 'x'); return {} }\n", p.trace("plugin-"+who))
			}
			files[".config/opencode/opencode.json"] = merged(files[".config/opencode/opencode.json"], config("mine"))
			files[".config/opencode/plugin/p.js"] = plugin("user")
			p.write(filepath.Join(p.work, "opencode.json"), encode(config("repo")))
			p.write(filepath.Join(p.work, ".opencode/plugin/p.js"), plugin("repo"))
		},
		write: tool("write", "filePath", "content", "x"),
		run:   tool("bash", "command", "description", "x"),
		call:  func(server string) try { return try{server + "_echo", args{"text": "hi"}} },
		read:  tool("read", "filePath"),
	},
}
