// Package limit bounds what strangers can make a server do: token buckets for each sender and for all, and log lines that
// a flood can cause. It knows times and counts; it must not know what is counted nor what is done about it. It follows the
// virtual scheduling form of the generic cell rate algorithm (ITU-T I.371): a bucket is the one moment at which it is full.
package limit
