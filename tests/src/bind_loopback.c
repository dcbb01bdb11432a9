/* Preloaded into Orthanc and dcmtk's servers, which cannot be told an address to listen on: a socket bound to
 * "any address" is bound to loopback instead, so that a test never opens a port to the network. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*bind_function)(int, const struct sockaddr *, socklen_t);

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  static bind_function next;
  struct sockaddr_storage changed;
  if (!next) next = (bind_function)dlsym(RTLD_NEXT, "bind");
  if (!address || length > sizeof changed) return next(fd, address, length);
  memcpy(&changed, address, length);
  if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&changed;
    if (v4->sin_addr.s_addr == htonl(INADDR_ANY)) v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&changed;
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)) v6->sin6_addr = in6addr_loopback;
  }
  return next(fd, (struct sockaddr *)&changed, length);
}
