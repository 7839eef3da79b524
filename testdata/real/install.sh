#!/bin/sh
# Installs the pinned CLIs of package.json into .clis at the root of the
# repository, for the tests that drive the real programs. Needs node 20 or newer
# and npm; says nothing when everything is already in place.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
clis=$(cd "$here/../.." && pwd)/.clis
bin=$clis/node_modules/.bin
# npm and the CLIs write under HOME: theirs must not be the user's.
home=$clis/home
mkdir -p "$home"

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

node=$(node --version 2>/dev/null) || fail "node 20 or newer is needed"
major=${node#v}
major=${major%%.*}
[ "$major" -ge 20 ] || fail "node $node is too old: 20 or newer is needed"

if ! cmp -s "$here/package.json" "$clis/package.json" || [ ! -d "$bin" ]; then
	echo "installing the pinned CLIs (about 1.5 GB)" >&2
	rm -f "$clis/package.json"
	cp "$here/package.json" "$clis/package.json.new"
	mv "$clis/package.json.new" "$clis/package.json"
	# Install scripts stay off: newer npms skip them anyway unless each is
	# approved, two of them would compile optional modules that no headless run
	# needs, and one writes into HOME. What is left to do by hand comes below.
	if ! (cd "$clis" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error >&2); then
		rm -f "$clis/package.json"
		fail "npm could not install the CLIs"
	fi
fi

# Puts the native binary of the platform package in the place of a stub.
"$bin/claude" --version >/dev/null 2>&1 ||
	(cd "$clis/node_modules/@anthropic-ai/claude-code" && node install.cjs >&2)

# It links its native binary in the place of a stub, too.
"$bin/opencode" --version >/dev/null 2>&1 ||
	(cd "$clis/node_modules/opencode-ai" && node postinstall.mjs >&2)

verify() { # command, what its version must say
	said=$(HOME=$home "$bin/$1" --version 2>/dev/null </dev/null | head -n 1) || true
	case $said in
	*"$2"*) ;;
	*) fail "$1 says it is \"$said\", not $2; remove $clis and try again" ;;
	esac
}

version() { # package
	sed -n "s|^ *\"$1\": \"\([^\"]*\)\".*|\1|p" "$here/package.json"
}

verify claude "$(version @anthropic-ai/claude-code)"
verify codex "$(version @openai/codex)"
verify gemini "$(version @google/gemini-cli)"
verify grok "$(version @xai-official/grok)"
# Its launcher unpacks 160 MB into every new HOME; the tests use many.
[ ! -x "$home/.grok/bin/grok" ] || ln -sfn ../../home/.grok/bin/grok "$bin/grok"
verify copilot "$(version @github/copilot)"
verify qwen "$(version @qwen-code/qwen-code)"
verify opencode "$(version opencode-ai)"
