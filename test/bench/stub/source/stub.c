/*
 * The physical limit: a server that thinks of nothing. It answers what the bench's generator sends, with the same system calls
 * as the fastest server could, on the same cable, and knows neither reservations nor files.
 *
 *   stub echo PORT              every packet goes back as it came
 *   stub dhcp ADDRESS           a canned OFFER or ACK on port 67, with the address computed from the MAC (package fleet)
 *   stub tftp FILE              the file in lock-step or windows (RFC 1350, 2348, 7440) on port 69, without retransmission
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define ROOM 2048
#define FIRST 0x0a401000u   /* 10.64.16.0, the address of machine 0 */

static unsigned char in[BATCH][ROOM], out[BATCH][ROOM];
static struct mmsghdr rx[BATCH], tx[BATCH];
static struct iovec rv[BATCH], tv[BATCH];
static struct sockaddr_in peer[BATCH];

static int fail(const char *what) {
  perror(what);
  return 1;
}

static int listen_on(uint32_t address, int port) {
  int s = socket(AF_INET, SOCK_DGRAM, 0), bytes = 16 << 20;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = address};
  if (s < 0 || setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) ||
      setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) || bind(s, (void *)&a, sizeof a))
    exit(fail("stub: UDP socket"));
  for (int i = 0; i < BATCH; i++) {
    rv[i] = (struct iovec){in[i], ROOM};
    tv[i] = (struct iovec){out[i], 0};
    rx[i].msg_hdr = (struct msghdr){.msg_name = &peer[i], .msg_iov = &rv[i], .msg_iovlen = 1};
    tx[i].msg_hdr = (struct msghdr){.msg_name = &peer[i], .msg_iov = &tv[i], .msg_iovlen = 1, .msg_namelen = sizeof peer[i]};
  }
  return s;
}

static int receive(int s) {
  for (int i = 0; i < BATCH; i++) rx[i].msg_hdr.msg_namelen = sizeof peer[i];
  return recvmmsg(s, rx, BATCH, MSG_WAITFORONE, NULL);
}

static void send_all(int s, int n) {
  for (int sent = 0; sent < n;) {
    int now = sendmmsg(s, tx + sent, n - sent, 0);
    sent += now > 0 ? now : 1;
  }
}

static void echo(int port) {
  int s = listen_on(INADDR_ANY, port);
  for (;;) {
    int n = receive(s);
    for (int i = 0; i < n; i++) {
      tv[i].iov_base = in[i];
      tv[i].iov_len = rx[i].msg_len;
    }
    send_all(s, n);
  }
}

/* The value of an option, and its length; NULL when it is not there. */
static unsigned char *option(unsigned char *p, int length, int code, int *size) {
  for (int at = 240; at + 1 < length && p[at] != 255; at += p[at] ? 2 + p[at + 1] : 1)
    if (p[at] == code && at + 2 + p[at + 1] <= length) {
      *size = p[at + 1];
      return p + at + 2;
    }
  return NULL;
}

static int put(unsigned char *p, int at, int code, const void *value, int size) {
  p[at] = code;
  p[at + 1] = size;
  memcpy(p + at + 2, value, size);
  return at + 2 + size;
}

/* The reply that is the same for every machine; returns its length. The message type is at byte 242. */
static int canned(unsigned char *p, uint32_t server) {
  uint32_t mask = htonl(0xffc00000u), lease = htonl(86400);
  char text[INET_ADDRSTRLEN];
  struct in_addr a = {server};
  memset(p, 0, ROOM);
  p[0] = 2, p[1] = 1, p[2] = 6;
  memcpy(p + 20, &server, 4);
  memcpy(p + 108, "ipxe.efi", 8);
  memcpy(p + 236, "\x63\x82\x53\x63", 4);
  int at = put(p, 240, 53, "\2", 1);
  at = put(p, at, 54, &server, 4);
  at = put(p, at, 51, &lease, 4);
  at = put(p, at, 1, &mask, 4);
  at = put(p, at, 3, &server, 4);
  at = put(p, at, 6, &server, 4);
  at = put(p, at, 60, "PXEClient", 9);
  inet_ntop(AF_INET, &a, text, sizeof text);
  at = put(p, at, 66, text, strlen(text));
  at = put(p, at, 67, "ipxe.efi", 8);
  p[at++] = 255;
  return at;
}

static uint32_t inverse(uint32_t odd) {
  uint32_t x = odd;
  for (int i = 0; i < 5; i++) x *= 2 - odd * x;
  return x;
}

static void dhcp(uint32_t server) {
  int s = listen_on(INADDR_ANY, 67), length = 0, size = 0;
  uint32_t unspread = inverse(0x9e3779b1u);
  for (int i = 0; i < BATCH; i++) length = canned(out[i], server);
  for (;;) {
    int n = receive(s), answers = 0;
    for (int i = 0; i < n; i++) {
      unsigned char *q = in[i], *r = out[answers], *type;
      uint32_t mac;
      if (rx[i].msg_len < 240 || !(type = option(q, rx[i].msg_len, 53, &size))) continue;
      memcpy(r + 4, q + 4, 8);    /* xid, secs, flags */
      memcpy(r + 24, q + 24, 20); /* giaddr, chaddr */
      memcpy(&mac, q + 30, 4);
      uint32_t address = htonl(FIRST + ntohl(mac) * unspread);
      memcpy(r + 16, &address, 4);
      r[242] = *type == 1 ? 2 : 5;
      tv[answers].iov_len = length;
      peer[answers++] = peer[i];
    }
    send_all(s, answers);
  }
}

static struct { uint32_t blksize, window; } transfers[65536]; /* by the client's port */

/* Reads a number that is an option's value in a request; 0 when the option is not there. */
static uint32_t asked(const unsigned char *p, int length, const char *name) {
  const char *at = memmem(p, length, name, strlen(name) + 1);
  return at ? strtoul(at + strlen(name) + 1, NULL, 10) : 0;
}

static char *file;
static size_t file_size;

static void read_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) || (file_size = ftell(f)) == 0) exit(fail(path));
  rewind(f);
  if (!(file = malloc(file_size)) || fread(file, 1, file_size, f) != file_size) exit(fail(path));
  fclose(f);
}

/* Sends blocks from through to of a file, as many as there are. */
static void send_blocks(int s, struct sockaddr_in to, uint32_t from, uint32_t count, uint32_t blksize) {
  int n = 0;
  for (uint32_t block = from; block < from + count && (size_t)(block - 1) * blksize <= file_size; block++) {
    size_t at = (size_t)(block - 1) * blksize, rest = file_size - at;
    size_t size = rest < blksize ? rest : blksize;
    out[n][0] = 0, out[n][1] = 3, out[n][2] = block >> 8, out[n][3] = block;
    memcpy(out[n] + 4, file + at, size);
    tv[n].iov_len = 4 + size;
    peer[n] = to;
    if (++n == BATCH) send_all(s, n), n = 0;
  }
  send_all(s, n);
}

static void transfer(int s, unsigned char *q, int length, struct sockaddr_in from) {
  uint16_t port = ntohs(from.sin_port);
  if (q[1] == 1) {
    uint32_t blksize = asked(q, length, "blksize"), window = asked(q, length, "windowsize");
    transfers[port].blksize = blksize && blksize <= ROOM - 4 ? blksize : 512;
    transfers[port].window = window && window <= BATCH ? window : 1;
    int at = sprintf((char *)out[0] + 2, "blksize%c%u%cwindowsize%c%u%c", 0, transfers[port].blksize, 0, 0, transfers[port].window, 0);
    out[0][0] = 0, out[0][1] = 6;
    tv[0].iov_len = 2 + at;
    peer[0] = from;
    send_all(s, 1);
  } else if (q[1] == 4 && length == 4 && transfers[port].blksize) {
    send_blocks(s, from, (q[2] << 8 | q[3]) + 1, transfers[port].window, transfers[port].blksize);
  }
}

static void tftp(const char *path) {
  int s = listen_on(INADDR_ANY, 69);
  read_file(path);
  for (;;) {
    static struct sockaddr_in from[BATCH];
    int n = receive(s);
    memcpy(from, peer, sizeof peer); /* sending overwrites peer */
    for (int i = 0; i < n; i++)
      if (rx[i].msg_len >= 4) transfer(s, in[i], rx[i].msg_len, from[i]);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "echo")) echo(atoi(argv[2]));
  if (argc == 3 && !strcmp(argv[1], "dhcp")) dhcp(inet_addr(argv[2]));
  if (argc == 3 && !strcmp(argv[1], "tftp")) tftp(argv[2]);
  fprintf(stderr, "usage: stub echo PORT | dhcp ADDRESS | tftp FILE\n");
  return 2;
}
