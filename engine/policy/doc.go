// Package policy decides whether a call may run. The decision is approve,
// deny or "a person decides", with its reasons.
//
// It hides how strategy, policy and score are combined, and how policies include each
// other. It decides about what was asked for and can change nothing of it: neither does it
// know a call, nor how one is rendered. It must not read or write anything, nor know how a
// person is asked.
package policy
