// Package setup changes files that belong to people: the settings of MCP clients, in
// which the gateway is to stand, and the folder in which specs are kept.
//
// Its promise is that nothing is lost. A text is edited where the change belongs, its
// comments and its layout stay; what comes out is read again and must say the same as
// before but for what was meant to change, else the file is left alone. It hides the
// syntaxes of these files (JSON with comments, TOML) and how a file is replaced. It
// knows no client: where a file lies and what belongs into it is told by its callers.
package configedit
