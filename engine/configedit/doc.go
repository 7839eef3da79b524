// Package configedit changes files that belong to people: the settings of MCP clients,
// to which the gateway is added, and the folder of specs.
//
// Its promise is that nothing is lost. A text is edited only where the change belongs;
// its comments and its layout stay. The result is read again and must mean the same as
// before except for the change, or else the file is left alone. The package hides the
// syntaxes of these files (JSON with comments, TOML) and how a file is replaced. It must
// not know any client: callers say where a file is and what is added to it.
package configedit
