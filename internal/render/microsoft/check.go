package microsoft

import (
	"fmt"
	"slices"
	"strings"
)

// commands are the cmdlets that a script of ours runs: those of the DhcpServer module, and what comes with PowerShell.
var commands = []string{
	"Add-DhcpServerv4Class", "Add-DhcpServerv4OptionDefinition", "Add-DhcpServerv4Policy", "Add-DhcpServerv4Reservation",
	"Get-DhcpServerv4Class", "Get-DhcpServerv4Failover", "Get-DhcpServerv4OptionDefinition", "Get-DhcpServerv4OptionValue",
	"Get-DhcpServerv4Policy", "Get-DhcpServerv4Reservation", "Get-DhcpServerv4Scope", "Invoke-DhcpServerv4FailoverReplication",
	"Remove-DhcpServerv4OptionValue", "Remove-DhcpServerv4Policy", "Remove-DhcpServerv4Reservation",
	"Set-DhcpServerv4OptionValue", "Set-DhcpServerv4Policy", "Set-DhcpServerv4Reservation",
	"ForEach-Object", "Set-StrictMode", "Sort-Object", "Where-Object", "Write-Warning",
}

// keywords are the words of the language that a script of ours uses.
var keywords = []string{"catch", "continue", "else", "elseif", "foreach", "function", "if", "in", "param", "return", "throw", "try"}

// Check refuses a text that is not a script as Render writes them, with the line of the first thing that is wrong. It
// knows the part of PowerShell that those scripts use: printable ASCII; strings in single quotes, each on one line;
// comments to the end of the line; brackets that balance; and no command but those above and the script's own functions.
// Expandable strings, here-strings, block comments, redirections and escapes are refused, and so is a script that does not
// declare -WhatIf, strict mode and the end at the first error.
func Check(text string) error {
	tokens, err := scan(text)
	if err != nil {
		return err
	}
	known := slices.Clone(commands)
	for i, t := range tokens {
		if i > 0 && tokens[i-1].text == "function" && tokens[i-1].kind == word {
			known = append(known, t.text)
		}
	}
	if err := checkTokens(tokens, known); err != nil {
		return err
	}
	for _, line := range []string{"[CmdletBinding(SupportsShouldProcess)]", "Set-StrictMode -Version 3.0", "$ErrorActionPreference = 'Stop'"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			return fmt.Errorf("script: the line %q is missing: it is not one of Tugboot's, or was cut", line)
		}
	}
	return nil
}

// checkTokens looks at the brackets and at what could be run.
func checkTokens(tokens []token, known []string) error {
	var open []token
	for i, t := range tokens {
		next, previous := token{}, token{}
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		if i > 0 {
			previous = tokens[i-1]
		}
		switch {
		case t.kind == opening:
			open = append(open, t)
		case t.kind == closing:
			if len(open) == 0 || closerOf(open[len(open)-1].text) != t.text {
				return t.wrong("closes nothing that is open")
			}
			open = open[:len(open)-1]
		case t.text == "&" && (next.text != "$Do" || previous.text != "{"):
			return t.wrong("runs something other than a change of the script's own")
		case t.text == "." && (t.spaced || next.spaced):
			return t.wrong("runs another script")
		case t.kind != word || t.after(previous) || next.text == "=" || inType(open):
		case !slices.Contains(keywords, t.text) && !slices.Contains(known, t.text):
			return t.wrong("is no command that a script of Tugboot runs")
		}
	}
	if len(open) > 0 {
		return open[len(open)-1].wrong("is never closed")
	}
	return nil
}

// after reports whether a word is the name of a member, of which the object stands before it.
func (t token) after(previous token) bool {
	return !t.spaced && (previous.text == "." || previous.text == ":")
}

// inType reports whether the innermost brackets hold a type or an attribute.
func inType(open []token) bool {
	return slices.ContainsFunc(open, func(t token) bool { return t.text == "[" })
}

func closerOf(opener string) string {
	switch opener[len(opener)-1] {
	case '(':
		return ")"
	case '{':
		return "}"
	}
	return "]"
}
