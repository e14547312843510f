// Package need says what a test needs of the host: root, a program, a file. It knows hosts, not what is tested. Where
// something is lacking a person's test run goes on without that test and says what to install; a run under CI=true
// fails, so that nothing goes untested unnoticed.
package need
