/* StreamEngine's tag: engine/docs/collector.md */
(function(w,d){
var s=d.currentScript||{dataset:{}},o=s.dataset,K="streamengine",need=o.consent=="required",busy=0,wait=1e3,timer,
u=(o.url||(s.src?new URL(s.src).origin:""))+"/v1/events"+(o.source?"/"+o.source:""),k=o.key?"?key="+encodeURIComponent(o.key):"";
function get(n){try{return JSON.parse(localStorage.getItem(K+n))}catch(e){}}
var c=get("consent")||{},ok=yes(),Q=ok&&get("queue")||[],who=ok&&get("who")||{};
function yes(){return!need||!!c[o.purpose||"all"]}
function set(n,v){if(ok)try{v==null?localStorage.removeItem(K+n):localStorage.setItem(K+n,JSON.stringify(v))}catch(e){}}
function save(){set("queue",Q.slice(-500));set("who",who)}
function id(){return w.crypto&&crypto.randomUUID?crypto.randomUUID():Date.now().toString(36)+Math.random().toString(36).slice(2)}
function put(t,e,p){
var l=location;who.a=who.a||id();
var m={type:t,messageId:id(),timestamp:new Date().toISOString(),anonymousId:who.a,
context:{page:{url:l.href,path:l.pathname,referrer:d.referrer,title:d.title},locale:navigator.language,
consent:{categoryPreferences:Object.assign({},c)}}};
if(who.u)m.userId=who.u;if(e)m.event=e;if(p)m[t=="identify"?"traits":"properties"]=p;
Q.push(m);Q=Q.slice(-500);save();later(100)}
function later(ms){if(!timer)timer=setTimeout(function(){timer=0;send()},ms)}
function drop(b){Q=Q.filter(function(m){return b.indexOf(m)<0});save()}
function back(ms){busy=0;wait=Math.min(wait*2,6e4);later(Math.max(ms,wait*(.5+Math.random()/2)))}
function send(){
if(!ok||busy||!Q.length)return;busy=1;var b=Q.slice(0,20);
fetch(u+k,{method:"POST",body:JSON.stringify(b),headers:{"content-type":"text/plain"},credentials:"omit",keepalive:true})
.then(function(r){
if(r.status==429||r.status>=500)return back(1e3*r.headers.get("retry-after"));
drop(b);busy=0;wait=1e3;if(Q.length)later(0)},function(){back(0)})}
function leave(){
if(!ok||!Q.length||!navigator.sendBeacon)return;var b=Q.slice(0,50);
if(navigator.sendBeacon(u+k,new Blob([JSON.stringify(b)],{type:"text/plain"})))drop(b)}
var api={
track:function(e,p){put("track",e,p)},
page:function(p){put("page",0,p)},
identify:function(i,t){who.u=i;put("identify",0,t)},
reset:function(){who={};save()},
listen:function(a,f){
(function open(last){
Promise.resolve(a.call?a():a).then(function(p){
var e=new EventSource(new URL(p,u)+(last?"&last_event_id="+encodeURIComponent(last):"")),again=a.call&&function(ms){
e.close();again=0;setTimeout(function(){open(last)},ms)};
["ready","decision","features","missed","end"].forEach(function(t){e.addEventListener(t,function(m){
var x=JSON.parse(m.data);last=m.lastEventId||last;f(t,x);if(x.reason=="expired"&&again)again(0)})});
e.onerror=function(){if(e.readyState==2&&again)again(5e3)}},function(){setTimeout(function(){open(last)},5e3)})})()},
consent:function(p){
for(var n in p)c[n]=!!p[n];
if(ok&&!yes()){put("track","Consent Withdrawn");Q=Q.slice(-1);leave();set("queue");set("who");set("consent");ok=false;Q=[];who={};c={}}
else{ok=yes();set("consent",c);save();later(0)}}};
function run(a){if(api[a[0]])api[a[0]].apply(0,[].slice.call(a,1))}
var old=w[K]&&w[K].q||[];w[K]=function(){run(arguments)};old.forEach(run);
d.addEventListener("visibilitychange",function(){if(d.visibilityState=="hidden")leave()});
w.addEventListener("pagehide",leave);
if(o.page!="off")api.page()})(window,document);
