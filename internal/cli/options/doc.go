// Package options holds the settings of `tugboot serve`, one small struct for each server, each with its flags and a
// Validate that names everything wrong at once. It knows flags and their ranges, not the servers that are made from
// them. Defaults are those of EKS Anywhere and of the Tinkerbell chart.
package options
