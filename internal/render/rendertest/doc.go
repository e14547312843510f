// Package rendertest is what the tests of the renderers share: a site that has everything which is easily forgotten, the
// golden files, and what must hold of every renderer, and of every one whose text is files. It knows no service's language
// and is imported by tests alone. docs/existing-dhcp.md tells what is rendered.
package rendertest
