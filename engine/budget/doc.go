// Package budget decides whether a call may begin by what calls have cost: which amounts count in
// which windows of time, when these end, and what to say of them. It also tells what the tokens of
// a call cost.
//
// It hides how windows, thresholds and prices are reckoned. It is pure: it must not know a clock,
// where the record is kept, or how a person is asked.
package budget
