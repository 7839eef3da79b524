package lang

// IsZero reports whether there is no such file.
func (f MCPFile) IsZero() bool { return f.Name == "" && f.Env == "" && f.Body == nil }

// IsZero reports whether nothing is said. An empty list of servers says something.
func (s MCPSpec) IsZero() bool {
	return s.Default == nil && s.Words == nil && s.Each == nil && s.Trusted == nil && s.Strict == nil && s.None == nil && s.File.IsZero() && s.Own == nil
}
