package process

import (
	"os"
	"os/exec"
	"testing"
)

func TestEndOrphansEndsOnlyItsJob(t *testing.T) {
	start := func(cookie string) *exec.Cmd {
		cmd := exec.Command("sleep", "1000")
		cmd.Env = append(os.Environ(), CookieName+"="+cookie)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		return cmd
	}
	mine, other := start("job-of-the-dead"), start("job-of-the-living")
	if n := EndOrphans("job-of-nobody"); n != 0 {
		t.Errorf("ended %d processes of no job", n)
	}
	if n := EndOrphans(""); n != 0 {
		t.Errorf("ended %d processes without a name", n)
	}
	if n := EndOrphans("job-of-the-dead"); n != 1 {
		t.Errorf("ended %d processes, want 1", n)
	}
	if err := mine.Wait(); err == nil {
		t.Error("it ended by itself")
	}
	if !alive(other.Process.Pid) {
		t.Error("the other job's process is gone")
	}
	if n := EndOrphans("job-of-the-living"); n != 1 {
		t.Errorf("ended %d processes of the other, want 1", n)
	}
	_ = other.Wait()
}
