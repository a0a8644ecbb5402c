import socket,sys,time
P=int(sys.argv[1])
def rss():
    return [int(l.split()[1])//1024 for l in open(f"/proc/{P}/status") if l.startswith("VmRSS")][0]
print("before",rss())
N=5000
def attack(name,payload):
    hold=[]
    for i in range(N):
        s=socket.create_connection(("127.0.0.1",39471)); 
        try: s.sendall(payload)
        except OSError as e: pass
        hold.append(s)
    time.sleep(1.5)
    r=rss(); print(name,r,"MiB")
    for s in hold: s.close()
    time.sleep(1.5); print(" after",rss())
attack("idle",b"")
attack("fast, short head",b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
attack("fast, 30000",b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "+b"x"*30000)
many=b"".join(b"a%d: b\r\n"%i for i in range(70))
attack("hyper, short",b"GET / HTTP/1.1\r\nHost: localhost\r\n"+many+b"X: ")
attack("hyper, 30000",b"GET / HTTP/1.1\r\nHost: localhost\r\n"+many+b"X: "+b"x"*30000)
attack("h2 preface",b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+bytes([0,0,0,4,0,0,0,0,0]))
