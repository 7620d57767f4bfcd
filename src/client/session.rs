//! Who a profile asks as, for as long as the command runs: one lease for all of its targets, and one sign-in at a time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::Error;
use crate::provider::Found;
use crate::signin::SignIn;

/// Not every request signs in again while a sign-in service is down.
const PAUSE: Duration = Duration::from_secs(30);

/// When a lease may be replaced by another.
enum Next {
    Now,
    /// Not before then: the last sign-in failed for this reason, which may pass.
    Later(Instant, Error),
    /// The last sign-in brought nothing better. A password that is refused over and over locks its user out.
    Never,
}

impl Next {
    fn is_due(&self) -> bool {
        match self {
            Next::Now => true,
            Next::Later(at, _) => Instant::now() >= *at,
            Next::Never => false,
        }
    }
}

/// A profile that has signed in.
pub struct Session {
    lease: RefCell<Rc<Lease>>,
    sign_in: SignIn,
    /// Held by the request that signs in.
    next: Mutex<Next>,
}

impl Session {
    /// A session that begins with this lease.
    pub fn new(lease: Lease, sign_in: SignIn) -> Self {
        Session {
            lease: RefCell::new(Rc::new(lease)),
            sign_in,
            next: Mutex::new(Next::Now),
        }
    }

    /// The lease of this moment.
    pub fn lease(&self) -> Rc<Lease> {
        Rc::clone(&self.lease.borrow())
    }

    /// The lease, signed in anew if it is about to end. If that brings nothing better, the old one is used while it lasts.
    pub async fn fresh(&self, seek: &Seek<'_>) -> Rc<Lease> {
        if self.lease().is_fresh(seek.now()) {
            return self.lease();
        }
        let mut next = self.next.lock().await;
        if next.is_due() && !self.lease().is_fresh(seek.now()) {
            let is_news = !matches!(*next, Next::Later(..));
            *next = self.replace(seek).await;
            if let (true, Next::Later(_, why)) = (is_news, &*next) {
                seek.ui.warn(why.to_string());
            }
        }
        self.lease()
    }

    /// Signs in again after `refused` was refused; false if that brings nothing new.
    ///
    /// # Errors
    /// Why signing in failed, if that may pass.
    pub async fn renew(&self, seek: &Seek<'_>, refused: &Rc<Lease>) -> Result<bool, Error> {
        // What a file or variable holds would be the same again.
        if refused.expires.is_none() {
            return Ok(false);
        }
        let mut next = self.next.lock().await;
        // Another request may have done it meanwhile.
        if Rc::ptr_eq(&self.lease(), refused) && next.is_due() {
            let cache = seek.cache.for_renewal();
            let seek = Seek {
                cache: &cache,
                ..*seek
            };
            *next = self.replace(&seek).await;
        }
        match &*next {
            _ if !Rc::ptr_eq(&self.lease(), refused) => Ok(true),
            Next::Later(_, why) => Err(why.clone()),
            Next::Now | Next::Never => Ok(false),
        }
    }

    /// Signs in, and says when that may be done again.
    async fn replace(&self, seek: &Seek<'_>) -> Next {
        match self.sign_in.lease(seek).await {
            Ok(Found::Lease(lease)) => {
                let lasts = lease.is_fresh(seek.now());
                self.lease.replace(Rc::new(*lease));
                if lasts { Next::Now } else { Next::Never }
            }
            Ok(Found::Nothing(_)) => Next::Never,
            Err(error) => {
                let again = Error {
                    what: format!("sign in again: {}", error.what),
                    ..error
                };
                if again.kind.may_pass() {
                    return Next::Later(Instant::now() + PAUSE, again);
                }
                seek.ui.warn(again.to_string());
                Next::Never
            }
        }
    }
}
