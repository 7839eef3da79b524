// Package redaction removes secrets from what is recorded and told of a job: the values that its
// environment holds, and what has the shape of a secret.
//
// It hides which variables hold secrets, and how they are found in texts, words and values. It
// must not know where the texts go, nor how a job is run.
package redaction
