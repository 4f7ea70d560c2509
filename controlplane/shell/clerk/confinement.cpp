#include <linux/capability.h>
#include <sys/syscall.h>

#include <vector>

#include "controlplane/names/lookup.hpp"
#include "controlplane/shell/clerk/service.hpp"

namespace penstock::controlplane::clerk {
namespace {

std::vector<AllowedCall> calls_for_files() {
  return {
      {SYS_openat, "the config, keys, what is retired, the audit log"},
      {SYS_newfstatat, "whose a file is, and who may read it"},
      {SYS_geteuid, "the same"},
      {SYS_lseek, "the library reads files by it"},
      {SYS_getdents64, "counting the machine's processors, for a config that names some"},
      {SYS_fsync, "what is retired is on disk before that is said"},
      {SYS_rename, "what is retired is replaced as a whole"},
      {SYS_unlink, "a file that a clerk before this one did not finish"},
      {SYS_recvfrom, "orders"},
      {SYS_sendto, "answers", names::no_fast_open(3)},
      {SYS_sendmsg, "the audit log's descriptor", names::no_fast_open(2)},
  };
}

}  // namespace

Confinement confinement_of(const SiteConfig& config) {
  using enum AllowedPath::Access;
  Confinement confinement{
      .capabilities = {{CAP_IPC_LOCK, "keys are locked while they are read, whatever the limit"},
                       {CAP_DAC_READ_SEARCH, "the config may stand in somebody's directory"}},
      .paths = {{"/", read, "a config names the files of its keys, and may change"},
                {config.state_dir, replace_files, "which keys are retired"}},
      .calls = everyday_calls(),
      .may_reach_abstract_sockets = true,  // services that know names
  };
  if (config.audit_log)
    confinement.paths.push_back({config.audit_log->parent_path(), append_files, "the audit log"});
  names::allow_names(confinement);
  const auto calls = calls_for_files();
  confinement.calls.insert(confinement.calls.end(), calls.begin(), calls.end());
  return confinement;
}

}  // namespace penstock::controlplane::clerk
