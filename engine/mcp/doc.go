// Package mcp is the MCP server. It turns JSON-RPC messages into calls of a [Caller],
// and results into responses.
//
// It hides the protocol: all its revisions (the initialize handshake up to 2025-11-25
// and the self-describing requests of 2026-07-28), the transport, concurrency,
// cancellation, progress, and the requests to a client for its roots or for the answer
// of a person. mcp-go has the protocol's types and is imported in protocol.go only.
//
// It must not know what a tool does, where tools come from, or that any command-line
// program exists.
package mcp
