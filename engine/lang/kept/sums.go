package kept

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
)

// A file of verified entries lets the next process skip what takes most of the time of a
// load: asking CUE whether an entry fits the schema. It contains nothing but checksums of
// entries that CUE accepted. All else is done again at every load, so positions and
// diagnostics are the same with and without the file. A damaged checksum matches no
// entry, which is then verified as usual.
const sumsFormat = "verified specs 1" // changes when other entries are accepted

// MaxSums is the most checksums that a file has.
const MaxSums = 1024

// ReadSums reads a file that WriteSums wrote; nil if there is none that counts.
func ReadSums(name string) map[Sum]bool {
	f, err := openOwn(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 100*MaxSums))
	if !lines.Scan() || lines.Text() != head(sumsFormat) {
		return nil
	}
	sums := map[Sum]bool{}
	for lines.Scan() {
		var s Sum
		if len(lines.Bytes()) != hex.EncodedLen(len(s)) {
			return nil
		}
		if _, err := hex.Decode(s[:], lines.Bytes()); err != nil {
			return nil
		}
		sums[s] = true
	}
	if lines.Err() != nil {
		return nil
	}
	return sums
}

// WriteSums writes the first MaxSums checksums to a file that only this user can read, and
// gives those that it wrote. The folder must exist.
func WriteSums(name string, sums []Sum) (written map[Sum]bool, err error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", head(sumsFormat))
	written = map[Sum]bool{}
	for _, s := range sums[:min(len(sums), MaxSums)] {
		fmt.Fprintf(&b, "%x\n", s)
		written[s] = true
	}
	return written, replace(name, b.Bytes())
}
