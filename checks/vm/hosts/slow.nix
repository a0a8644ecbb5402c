# A host whose sandboxes answer /slow for ten seconds, a line at a time.
let
  web = {
    port = 3000;
    health.path = "/";
    config =
      { pkgs, ... }:
      let
        server = pkgs.writeText "slow.py" ''
          import http.server
          import time


          class Slow(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  lines = 100 if self.path == "/slow" else 1
                  self.send_response(200)
                  self.send_header("Content-Length", str(8 * lines))
                  self.end_headers()
                  for i in range(lines):
                      self.wfile.write(b"line%03d\n" % i)
                      time.sleep(0.1 if lines > 1 else 0)


          http.server.ThreadingHTTPServer(("", 3000), Slow).serve_forever()
        '';
      in
      {
        systemd.services.web = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig = {
            User = "sandbox";
            ExecStart = "${pkgs.python3}/bin/python3 ${server}";
          };
        };
      };
  };
in
{
  imports = [ ./plain.nix ];
  services.choiros.workspaces.sandbox = web;
}
