// Package modelserver plays the model vendors on loopback, so that the real
// command-line programs can be driven end to end without an account, a network
// or a bill.
//
// One handler speaks four wire formats, told apart by the path a client asks
// for: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions and Gemini
// generateContent, each streamed and not. The first path segment is a scenario
// (see scenario.go), the rest is the vendor's own path:
//
//	http://127.0.0.1:PORT/ok/v1/messages
//	http://127.0.0.1:PORT/e429/v1beta/models/m:streamGenerateContent
//
// # What a reply proves
//
// The text of a normal reply is one line, made from the request alone:
//
//	FAKE-REPLY turns=2 bytes=5 sha=2cf24dba5fb0 model="m" last="hello"
//
// turns counts the user's messages, so turns=2 proves that a first turn was
// resumed. bytes and sha (the first 12 hex digits of SHA-256) are of the
// prompt, last is its tail: together they prove that it arrived unchanged.
//
// # What the prompt is
//
// Programs surround a prompt with text of their own: reminders, an environment
// description, tags. A test that wants an exact proof writes its prompt as
// <<<...>>>. As soon as any user message holds such a pair, only messages that
// hold one count as turns, and the prompt is what stands between the first <<<
// and the last >>> of the last of them (the markers excluded). Without markers
// every user message counts and the prompt is the last text part of the last
// one, from which one enclosing <user_query> element is taken off.
//
// It knows nothing of the gateway. Nothing here leaves loopback.
package modelserver
