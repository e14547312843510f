package statedir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// The bounds of a file: its first line, and all of it. A hundred thousand plain Hardware take 45 MB.
const (
	maxHeader = 1 << 10
	maxFile   = 128 << 20
)

// format is the version of what a file looks like.
const format = 1

// header is the first line of a file, by which it is known; the rest is the document in JSON.
type header struct {
	Tugboot string    `json:"tugboot"` // the document's name
	Format  int       `json:"format"`
	Saved   time.Time `json:"saved"`
	SHA256  string    `json:"sha256"` // of the rest
}

// Save puts v in the place of what was saved under that name before. When it returns nil, the document outlives a crash
// of the machine; when it fails, or never returns, that of before is still there.
func (d *Dir) Save(name string, v any) error {
	if err := checked(name); err != nil {
		return err
	}
	text, err := encode(name, v, time.Now())
	if err == nil {
		err = d.replace(name, text)
	}
	if err != nil {
		return fmt.Errorf("save %q: %w", d.File(name), err)
	}
	return nil
}

// encode returns the lines of a file.
func encode(name string, v any, now time.Time) ([][]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(body) > maxFile-maxHeader {
		return nil, fmt.Errorf("%d bytes, more than the %d that are kept", len(body), maxFile-maxHeader)
	}
	digest := sha256.Sum256(body)
	first, err := json.Marshal(header{Tugboot: name, Format: format, Saved: now.UTC().Round(time.Second), SHA256: hex.EncodeToString(digest[:])})
	if err != nil {
		return nil, err
	}
	return [][]byte{append(first, '\n'), body}, nil
}

// replace writes a new file beside the old and gives it the old one's name. A power cut leaves one of the two.
func (d *Dir) replace(name string, text [][]byte) error {
	file, err := os.CreateTemp(d.path, name+unfinished) // only its owner may read it
	if err != nil {
		return err
	}
	var problems []error
	for _, part := range text {
		_, err := file.Write(part)
		problems = append(problems, err)
	}
	err = errors.Join(append(problems, file.Sync(), file.Close())...)
	if err == nil {
		err = os.Rename(file.Name(), d.File(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	folder, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Load reads into v what was saved last under that name, and returns when that was. The error is fs.ErrNotExist when
// there is nothing; any other says what is wrong with the file, and v is not to be used then.
func (d *Dir) Load(name string, v any) (saved time.Time, err error) {
	if err := checked(name); err != nil {
		return time.Time{}, err
	}
	path := d.File(name)
	if found, err := os.Stat(path); err == nil && !found.Mode().IsRegular() { // opening a pipe would wait for its writer
		return time.Time{}, fmt.Errorf("%q: not a file: remove it", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return time.Time{}, err
	}
	defer file.Close()
	if saved, err = decode(name, file, v); err != nil {
		return time.Time{}, fmt.Errorf("%q: %w: delete it, or put back what was there", path, err)
	}
	return saved, nil
}

// decode reads a file that Save wrote, and no other.
func decode(name string, r io.Reader, v any) (time.Time, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return time.Time{}, err
	}
	if len(text) > maxFile {
		return time.Time{}, fmt.Errorf("more than %d bytes", maxFile)
	}
	first, body, found := bytes.Cut(text, []byte{'\n'})
	var h header
	if !found || len(first) > maxHeader || json.Unmarshal(first, &h) != nil || h.Tugboot != name {
		return time.Time{}, fmt.Errorf("not a file in which Tugboot keeps its %s", name)
	}
	if h.Format != format {
		return time.Time{}, fmt.Errorf("format %d, and this Tugboot knows %d", h.Format, format)
	}
	if digest := sha256.Sum256(body); hex.EncodeToString(digest[:]) != h.SHA256 {
		return time.Time{}, errors.New("was changed or cut off after it was written")
	}
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(v); err != nil {
		return time.Time{}, fmt.Errorf("holds what this Tugboot does not know (%w)", err)
	}
	return h.Saved, nil
}
