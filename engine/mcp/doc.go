// Package server speaks MCP on behalf of the engine. It turns lines of
// JSON-RPC into calls of a [Caller] and their results into answers.
//
// It hides the protocol: both eras of it (the initialize handshake up to
// 2025-11-25 and the self-describing requests of 2026-07-28), the transport,
// concurrency, cancellation, progress and the client's own answers (roots).
// mcp-go is the protocol core and is imported nowhere else; its stdio transport
// is not used, because it bounds concurrency at five, loses cancellations of
// waiting calls, lets progress overtake or trail its answer, and drops calls in
// flight when stdin ends.
//
// It must not know what a tool does, where tools come from, or that any
// command-line program exists.
package mcp
