// Package policy decides whether a call may run. It has one question, to which approve,
// deny and "a person decides" are the answers, and gives the reasons.
//
// It hides how strategy, policy and score come together, and how policies include each
// other. It decides about what was asked for and can change nothing of it: neither does it
// know a call, nor how one is rendered. It must not read or write anything, nor know how a
// person is asked.
package policy
