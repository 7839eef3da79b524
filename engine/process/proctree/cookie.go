package proctree

// CookieName is the environment variable that names the job a process belongs to. A
// command has it exactly once.
const CookieName = "LLM_GATEWAY_JOB_ID"

// cookieOf returns the value of an entry of an environment that is a cookie.
func cookieOf(kv string) (id string, ok bool) {
	const prefix = CookieName + "="
	if len(kv) < len(prefix) || kv[:len(prefix)] != prefix {
		return "", false
	}
	return kv[len(prefix):], true
}

// WithCookie returns env with the cookie id and no other. A nested gateway passes on its
// own environment: of two cookies in one environment another gateway would see the first,
// and end a job that is not its own.
func WithCookie(env []string, id string) []string {
	out := make([]string, 0, len(env)+1)
	for _, kv := range env {
		if _, is := cookieOf(kv); !is {
			out = append(out, kv)
		}
	}
	return append(out, CookieName+"="+id)
}
